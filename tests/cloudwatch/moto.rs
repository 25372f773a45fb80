//! The same against moto, an independent double. `tests/cloudwatch/moto/run` starts it,
//! fills it, and then runs this.
//!
//! moto proves wiring, credentials and the happy path. It has one page for everything,
//! no empty pages, and never throttles; the scripted server is for the rest.

use super::run::Run;

#[test]
#[ignore = "needs moto: tests/cloudwatch/moto/run"]
fn every_event_that_was_put_is_read() {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let events: u64 = variable("LEASTROLE_MOTO_EVENTS").parse().unwrap();
    for region in ["us-east-1", "eu-west-3"] {
        let found = Run::new(&variable("LEASTROLE_MOTO_URL"))
            .region(region)
            .arg("--since", &variable("LEASTROLE_MOTO_SINCE"))
            .arg("--until", &variable("LEASTROLE_MOTO_UNTIL"))
            .good();
        assert_eq!((found.events, found.names.len() as u64), (events, events), "{region}");
        assert_eq!(found.streams.len(), 2, "{:?}", found.streams);
    }
}

#[test]
#[ignore = "needs moto: tests/cloudwatch/moto/run"]
fn a_group_that_is_not_there_is_said_to_be_missing() {
    let url = std::env::var("LEASTROLE_MOTO_URL").unwrap();
    let stderr = Run::new(&url).arg("--cluster", "elsewhere").bad();
    assert!(stderr.contains("there is no log group /aws/eks/elsewhere/cluster"), "{stderr}");
}
