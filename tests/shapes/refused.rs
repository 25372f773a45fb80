//! What is recognised and not read: no roles, and one line that says what to do instead.

use super::collect::testdata;
use crate::support::program::leastrole;

#[test]
fn what_is_not_read_says_what_to_do_instead() {
    const JSON: &str = "output of the AWS CLI as YAML is not read: run the command again with \
        --output json";
    const ATHENA: &str = " is not read: have Athena write the rows as JSON: UNLOAD";
    let expected = [
        ("filter-log-events.yaml", JSON),
        ("filter-log-events.yaml-stream", JSON),
        ("get-log-events.yaml", JSON),
        ("query-message.yaml", JSON),
        ("security-lake.parquet", ATHENA),
        ("firehose.avro", ATHENA),
        ("ocsf.json", "OCSF records do not hold what RBAC needs: export the original events"),
        ("gke.json", "(protoPayload) are another schema and are not read: use the API server's"),
    ];
    let folder = testdata("refused");
    for (name, reason) in expected {
        let ran = leastrole(["generate".as_ref(), folder.join(name).as_os_str()]).run();
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{name}");
        let warnings: Vec<_> =
            ran.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        assert_eq!(warnings.len(), 1, "{name}: {}", ran.stderr);
        assert!(warnings[0].contains(name) && warnings[0].contains(reason), "{}", ran.stderr);
    }
    let files = std::fs::read_dir(folder).expect("the folder").count();
    assert_eq!(files, expected.len());
}
