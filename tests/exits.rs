//! How a run ends: the exit status, what is said, and what is left on disk.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::Path;

use crate::support::events::{event, log};
use crate::support::objects::granted;
use crate::support::program::{Ran, generate, leastrole};

const GOOD: &str = "system:serviceaccount:shop:reader";

fn good_log() -> String {
    log([event(GOOD, "get", "/api/v1/namespaces/shop/configmaps/web-config")])
}

/// The same, and before it a line that is an event but for a colon.
fn damaged_log() -> String {
    good_log().replace("\"user\":", "\"user\"") + &good_log()
}

/// A folder with a good log `good.ndjson` in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("good.ndjson"), good_log()).expect("the log can be written");
    folder
}

fn run_in(folder: &Path, args: &str) -> Ran {
    leastrole(args.split(' ')).folder(folder).run()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("the folder can be listed").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

#[track_caller]
fn assert_trouble(ran: &Ran, said: &str) {
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains(said), "{said:?} in {}", ran.stderr);
    assert_eq!(ran.stdout, "", "data beside an error");
}

#[test]
fn a_log_that_is_not_there_is_trouble() {
    let folder = folder();
    let ran = run_in(folder.path(), "generate missing.ndjson");
    assert_trouble(&ran, "missing.ndjson");
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
}

#[test]
fn a_log_without_an_audit_event_is_trouble_with_a_hint() {
    let garbage = b"\x00\x01\xff\xfe neither text nor JSON \x7f".to_vec();
    let other =
        b"I1120 09:00:00.000000 1 controller.go:42] started\n{\"level\":\"info\"}\n".to_vec();
    for bytes in [Vec::new(), garbage, other] {
        let ran = generate(&[], bytes).run();
        assert_trouble(&ran, "no audit event was found");
        assert!(ran.stderr.lines().any(|line| line.starts_with("hint: ")), "{}", ran.stderr);
    }
}

#[test]
fn an_empty_folder_is_trouble() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_trouble(&run_in(folder.path(), "generate ."), "no audit event was found");
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_used() {
    let folder = folder();
    fs::write(folder.path().join("bad.ndjson"), damaged_log()).expect("the log can be written");
    let cases = [
        ("missing.ndjson good.ndjson", "missing.ndjson"),
        ("bad.ndjson", "bad.ndjson:1"),
        ("good.ndjson bad.ndjson", "bad.ndjson:1"),
    ];
    for (logs, named) in cases {
        let ran = run_in(folder.path(), &format!("generate {logs}"));
        assert_eq!(ran.code, Some(0), "{logs}: {}", ran.stderr);
        assert!(ran.stderr.contains(named), "{named} in {}", ran.stderr);
        assert_eq!(granted(&ran.stdout).len(), 1, "{logs}");

        let strict = run_in(folder.path(), &format!("generate --strict {logs}"));
        assert_eq!(strict.code, Some(1), "{logs}: {}", strict.stderr);
        assert_eq!(strict.stdout, ran.stdout, "--strict changes the status alone");
    }
    let clean = run_in(folder.path(), "generate --strict good.ndjson");
    assert_eq!(clean.code, Some(0), "{}", clean.stderr);
}

#[test]
fn flags_that_make_no_sense_are_trouble() {
    let folder = folder();
    let cases = [
        ("generate", "<LOG>"),
        ("generate --no-such-flag good.ndjson", "--no-such-flag"),
        ("generate --names some good.ndjson", "--names"),
        ("generate --scope some good.ndjson", "--scope"),
        ("generate --verbs some good.ndjson", "--verbs"),
        ("generate --format xml good.ndjson", "--format"),
        ("generate --threads 0 good.ndjson", "--threads"),
        ("generate --max-record 0 good.ndjson", "--max-record"),
        ("generate --since yesterday good.ndjson", "neither a time"),
        ("generate --until 12:00 good.ndjson", "neither a time"),
        (
            "generate --assume everything good.ndjson",
            "events-write, events-repeat, events-read, probes",
        ),
        ("generate --kubernetes-version new good.ndjson", "such as 1.36"),
        ("generate --iam-group-template system:{role} good.ndjson", "EKS refuses"),
        ("generate --iam-group-template admins good.ndjson", "{role}"),
        ("generate --audit-policy missing.yaml good.ndjson", "missing.yaml"),
        ("generate --audit-policy good.ndjson good.ndjson", "not a usable audit policy"),
        ("generate --explain --format json good.ndjson", "--summary-json"),
        ("no-such-command", "no-such-command"),
    ];
    for (args, said) in cases {
        assert_trouble(&run_in(folder.path(), args), said);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_trouble() {
    let folder = folder();
    for flag in ["-o", "--summary-json"] {
        let ran = run_in(folder.path(), &format!("generate {flag} no/such/folder/x good.ndjson"));
        assert_trouble(&ran, "cannot write no/such/folder/x");
    }
    assert_eq!(names(folder.path()), ["good.ndjson"]);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_trouble() {
    let hang_up = |child: &mut std::process::Child| drop(child.stdout.take());
    let to_stream = ["-o", if cfg!(target_os = "linux") { "/proc/self/fd/1" } else { "-" }];
    for args in [&[][..], &to_stream, &["--format", "json"]] {
        let ran = generate(args, good_log()).run_after(hang_up);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("error"), "{args:?}: {}", ran.stderr);
    }
}

/// The summary is talk: whoever closes standard error still wants the manifests.
#[test]
fn nobody_listening_to_the_summary_is_no_reason_to_print_nothing() {
    let hang_up = |child: &mut std::process::Child| drop(child.stderr.take());
    let ran = generate(&[], good_log()).run_after(hang_up).clean();
    assert_eq!(granted(&ran.stdout).len(), 1);
    let ran = generate(&[], "").run_after(hang_up);
    assert_eq!(ran.code, Some(2), "the status tells what no one heard");
}

#[test]
fn a_file_is_replaced_in_one_step_and_nothing_else_is_left() {
    let folder = folder();
    let roles = folder.path().join("roles.yaml");
    fs::write(&roles, "old").expect("the file can be written");
    let mut held = File::open(&roles).expect("the file can be read");
    run_in(folder.path(), "generate -o roles.yaml good.ndjson").clean();

    let written = fs::read_to_string(&roles).expect("the file was written");
    assert_eq!(granted(&written).len(), 1);
    let mut old = String::new();
    held.read_to_string(&mut old).expect("the file can be read");
    assert_eq!(old, "old", "whoever reads the old file must not see half of the new one");
    assert_eq!(names(folder.path()), ["good.ndjson", "roles.yaml"]);
}

#[test]
fn trouble_leaves_the_old_file_as_it_was() {
    let folder = folder();
    fs::write(folder.path().join("roles.yaml"), "old").expect("the file can be written");
    for args in ["-o roles.yaml missing.ndjson", "-o roles.yaml --iam-role nobody good.ndjson"] {
        let ran = run_in(folder.path(), &format!("generate {args}"));
        assert_eq!(ran.code, Some(2), "{args}: {}", ran.stderr);
        let kept = fs::read_to_string(folder.path().join("roles.yaml")).expect("it is there");
        assert_eq!(kept, "old", "{args}");
    }
    assert_eq!(names(folder.path()), ["good.ndjson", "roles.yaml"]);
}

/// A link is followed as by a shell's `>`; it must not turn into a file.
#[cfg(unix)]
#[test]
fn a_link_to_a_file_stays_a_link() {
    let folder = folder();
    let link = folder.path().join("link.yaml");
    fs::write(folder.path().join("roles.yaml"), "old").expect("the file can be written");
    std::os::unix::fs::symlink("roles.yaml", &link).expect("the link can be made");
    run_in(folder.path(), "generate -o link.yaml good.ndjson").clean();
    assert!(link.is_symlink());
    let written = fs::read_to_string(folder.path().join("roles.yaml")).expect("it is there");
    assert_eq!(granted(&written).len(), 1);
}

/// What `/dev/stdout` leads to may be a regular file, which the shell opened. Put in
/// place in one step, the output would end up elsewhere and that file stay empty.
#[cfg(target_os = "linux")]
#[test]
fn a_stream_that_is_open_is_written_to_whatever_it_is() {
    let to_stdout = || generate(&["-o", "/proc/self/fd/1"], good_log());
    let expected = generate(&[], good_log()).run().clean().stdout;
    assert_eq!(to_stdout().run().clean().stdout, expected, "a pipe");

    let folder = folder();
    let roles = folder.path().join("roles.yaml");
    to_stdout().stdout(File::create(&roles).expect("the file can be made")).run().clean();
    assert_eq!(fs::read_to_string(&roles).expect("it is there"), expected, "a file");

    let mut nameless = tempfile::tempfile().expect("a temporary file");
    to_stdout().stdout(nameless.try_clone().expect("a handle can be shared")).run().clean();
    let mut written = String::new();
    nameless.rewind().expect("a file has a begin");
    nameless.read_to_string(&mut written).expect("the file can be read");
    assert_eq!(written, expected, "a file without a name");
}

#[test]
fn a_folder_is_made_where_there_is_none() {
    let folder = folder();
    run_in(folder.path(), "generate -o new/roles/ good.ndjson").clean();
    let made = folder.path().join("new/roles");
    assert_eq!(names(&made), ["kustomization.yaml", "sa_shop_reader.yaml"]);
    run_in(folder.path(), "generate -o new/roles --format json good.ndjson").clean();
    let now = ["kustomization.yaml", "sa_shop_reader.json", "sa_shop_reader.yaml"];
    assert_eq!(names(&made), now, "a folder that is there needs no slash");
}

#[test]
fn quiet_says_nothing_but_errors() {
    let ran = generate(&["--quiet"], damaged_log()).run().clean();
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.stdout, generate(&[], damaged_log()).run().clean().stdout);
    assert_trouble(&generate(&["-q"], "").run(), "error: ");
}

#[test]
fn data_goes_to_stdout_and_talk_to_stderr() {
    let ran = generate(&[], good_log()).run().clean();
    assert!(ran.stdout.starts_with("---\n"), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("Read 1 input"), "{}", ran.stderr);
}

#[test]
fn colour_is_for_terminals_and_for_who_asks_for_it() {
    let run = || generate(&[], good_log());
    let is_bold = |ran: Ran| ran.clean().stderr.contains('\u{1b}');
    assert!(!is_bold(run().run()), "a pipe is no terminal");
    assert!(is_bold(run().env("CLICOLOR_FORCE", "1").run()));
    assert!(!is_bold(run().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run()));
    assert!(!run().env("CLICOLOR_FORCE", "1").run().stdout.contains('\u{1b}'));
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = leastrole(["completions", shell]).run().clean();
        assert!(ran.stdout.contains("generate"), "{shell}");
    }
}
