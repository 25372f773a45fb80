//! Errors that tell what to do.

use std::io::{BufRead, BufReader};

use super::events::spread;
use super::run::Run;
use super::server::{Call, Reply, Server};
use super::service::{Habits, Service};

const A: &str = "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9";

fn serve(script: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let service = Service::new(vec![(A, spread(0, 100))], Habits::default());
    Server::start(move |call| script(call).unwrap_or_else(|| service.reply(call)))
}

/// All of `parts` stand in what a run says that fails.
fn assert_says(run: &Run, parts: &[&str]) {
    let stderr = run.bad();
    for part in parts {
        assert!(stderr.contains(part), "{part} is missing:\n{stderr}");
    }
}

#[test]
fn a_missing_log_group_asks_for_region_and_audit_logging() {
    let server = serve(|_| None);
    let run = Run::new(&server.url).arg("--cluster", "staging");
    let group = "error: there is no log group /aws/eks/staging/cluster in us-east-1";
    let hint = "aws eks update-cluster-config --region us-east-1 --name staging --logging";
    assert_says(&run, &[group, "hint: is this the cluster's Region", hint]);
}

#[test]
fn a_log_group_without_audit_streams_says_that_audit_logging_is_off() {
    let service = Service::new(vec![("kube-apiserver-0a1b2c3d", spread(0, 10))], Habits::default());
    let server = Server::start(move |call| service.reply(call));
    let message = "has no streams kube-apiserver-audit-*";
    assert_says(&Run::new(&server.url), &[message, "aws eks update-cluster-config"]);
}

#[test]
fn denied_access_prints_the_iam_statement() {
    const MESSAGE: &str = "User: arn:aws:sts::111122223333:assumed-role/dev/alice is not authorized \
        to perform: logs:FilterLogEvents on resource: \
        arn:aws:logs:us-east-1:111122223333:log-group:/aws/eks/prod/cluster:log-stream: because \
        no identity-based policy allows the logs:FilterLogEvents action";
    let server =
        serve(|call| call.is_page().then_some(Reply::Error(400, "AccessDeniedException", MESSAGE)));
    let stderr = Run::new(&server.url).bad();
    assert!(stderr.starts_with("error: access denied: User: arn:aws:sts::"), "{stderr}");
    let statement = &stderr[stderr.find('{').unwrap()..];
    let statement: serde_json::Value = serde_json::from_str(statement).unwrap();
    let arn = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/eks/prod/cluster";
    assert_eq!(
        statement,
        serde_json::json!({
            "Effect": "Allow",
            "Action": ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"],
            "Resource": [arn, format!("{arn}:*"), format!("{arn}:log-stream:*")],
        })
    );
}

#[test]
fn credentials_that_are_not_accepted_say_so() {
    let server = serve(|_| {
        let message = "The security token included in the request is invalid.";
        Some(Reply::Error(400, "UnrecognizedClientException", message))
    });
    let parts = ["error: AWS does not accept the credentials", "aws sts get-caller-identity"];
    assert_says(&Run::new(&server.url), &parts);
}

#[test]
fn no_credentials_name_the_ways_to_have_some() {
    let server = serve(|_| None);
    let run = Run::new(&server.url).without_credentials();
    assert_says(&run, &["error: no AWS credentials", "--profile", "aws sso login"]);
    assert!(server.calls().is_empty());
}

#[test]
fn an_expired_sso_login_names_the_command() {
    let server = serve(|_| None);
    let run = Run::new(&server.url).without_credentials().arg("--profile", "dev");
    run.home_file(
        ".aws/config",
        "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n\
         region = us-east-1\n\n[sso-session corp]\nsso_region = us-east-1\n\
         sso_start_url = https://corp.awsapps.com/start\n",
    );
    assert_says(&run, &["error: the AWS SSO login", "hint: aws sso login --profile dev"]);
    // The file's name is the SHA-1 of the session's name.
    run.home_file(
        ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
        r#"{"accessToken":"x","expiresAt":"2024-01-01T00:00:00Z","region":"us-east-1"}"#,
    );
    assert_says(&run, &["error: the AWS SSO login", "hint: aws sso login --profile dev"]);
}

#[test]
fn no_region_names_the_flag() {
    let server = serve(|_| None);
    let run = Run::new(&server.url).without_arg("--region");
    assert_says(&run, &["error: no AWS Region is set", "--region"]);
    let run = run.env("AWS_REGION", "eu-west-1");
    assert_eq!(run.good().events, 100);
}

#[test]
fn an_infrequent_access_group_names_logs_insights() {
    let server = serve(|call| {
        let message =
            "This operation is not supported for log groups of the INFREQUENT_ACCESS log class.";
        call.is_page().then_some(Reply::Error(400, "InvalidParameterException", message))
    });
    assert_says(&Run::new(&server.url), &["cannot be read event by event", "Logs Insights"]);
}

#[test]
fn a_filter_pattern_that_is_refused_is_shown_as_aws_says_it() {
    let server = serve(|call| {
        let message = "Invalid filter pattern";
        call.is_page().then_some(Reply::Error(400, "InvalidParameterException", message))
    });
    let run = Run::new(&server.url).arg("--filter-pattern", "{ $.");
    assert_says(&run, &["InvalidParameterException: Invalid filter pattern"]);
}

#[test]
fn a_range_that_cannot_be_is_refused_before_any_call() {
    let server = serve(|_| None);
    let turned = Run::new(&server.url).arg("--until", "2024-03-01T09:00:00Z");
    assert_says(&turned, &["error: the range of time is empty"]);
    let future = Run::new(&server.url)
        .arg("--since", "2999-01-01T00:00:00Z")
        .arg("--until", "2999-01-02T00:00:00Z");
    assert_says(&future, &["error: the range of time starts in the future"]);
    assert!(server.calls().is_empty());
}

#[test]
fn a_large_read_says_first_what_it_will_take() {
    let habits = Habits { page_events: 5, ..Habits::default() };
    let service = Service::new(vec![(A, spread(0, 10_000))], habits);
    let server = Server::start(move |call| service.reply(call));
    let run = Run::new(&server.url).region("us-east-1");
    let mut child = run.spawn();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    let before = server.pages().len();
    child.kill().unwrap();
    child.wait().unwrap();
    let figures: Vec<u64> = line
        .split(|c: char| !c.is_ascii_digit() && c != ',')
        .filter_map(|word| word.replace(',', "").parse().ok())
        .collect();
    assert!(line.starts_with("About "), "{line}");
    // Bytes are told as `9.3 MB`.
    let [events, _, _, calls, minutes, speed] = figures[..] else { panic!("{line}") };
    assert!((8_000..14_000).contains(&events), "{line}");
    assert!((1_800..3_000).contains(&calls), "{line}");
    assert!(line.ends_with(" calls a second\n") && (19..22).contains(&speed), "{line}");
    assert!((2..=3).contains(&minutes), "{line}");
    assert!(before < 100, "{before} of 2,000 pages were read before it was said");
}

#[test]
fn the_group_of_another_log_is_named_in_the_iam_statement() {
    let server = serve(|_| Some(Reply::Error(400, "AccessDeniedException", "no")));
    let run = Run::new(&server.url).without_arg("--cluster").arg("--log-group", "/shared/logs");
    assert_says(
        &run,
        &["arn:aws:logs:us-east-1:ACCOUNT:log-group:/shared/logs:*\"", "logs:FilterLogEvents"],
    );
}

#[test]
fn no_time_to_read_from_is_asked_for() {
    let server = serve(|_| None);
    assert_says(&Run::new(&server.url).without_arg("--since"), &["hint: --since 24h"]);
    assert!(server.calls().is_empty());
}

#[test]
fn the_endpoint_and_region_of_the_environment_hold() {
    let server = serve(|_| None);
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"] {
        let run = Run::new(&server.url).without_arg("--endpoint-url").env(name, &server.url);
        assert_eq!(run.good().events, 100, "{name}");
    }
}
