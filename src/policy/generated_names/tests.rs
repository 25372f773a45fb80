//! Names that Kubernetes makes, and names that people give.

use super::*;

#[test]
fn names_in_the_table_are_judged_as_it_says() {
    let table = include_str!("../../../testdata/names/generated.tsv");
    let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.len() >= 80);
    let mut wrong = Vec::new();
    for row in rows {
        let [name, resource, expected] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row:?}");
        };
        let found = generated(resource, name).map_or("-", Pattern::label);
        if found != expected {
            wrong.push(format!("{row} (found {found})"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_pattern_has_a_row_and_words_of_its_own() {
    let table = include_str!("../../../testdata/names/generated.tsv");
    let mut labels: Vec<&str> = RULES.iter().map(|(pattern, _)| pattern.label()).collect();
    for label in &labels {
        assert!(table.lines().any(|row| row.ends_with(&format!("\t{label}"))), "{label}");
    }
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), RULES.len());
}

#[test]
fn hostile_names_are_judged_without_harm() {
    for name in ["", "-", "--", "i-", "ip-", "ip-1-2-3", "\u{0}", "-é\u{301}x2x9k", "x2x9ké"] {
        assert_eq!(generated("pods", name), None, "{name:?}");
    }
    for length in [62, 63, 64, 100_000] {
        assert_eq!(generated("pods", &"é".repeat(length)), None);
        assert_eq!(generated("", &"-".repeat(length)), None);
    }
    assert_eq!(generated("configmaps", &format!("{}x", "é".repeat(31))), None);
}

#[test]
fn lists_are_sorted() {
    assert!(forms::WORDS.is_sorted());
    assert!(USUALLY_GENERATED.is_sorted());
}

/// Names as Kubernetes makes them, the same on every run (xorshift).
struct Sample(u64);

impl Sample {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }

    fn word(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..length).map(|_| char::from(alphabet[self.index(alphabet.len())])).collect()
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    fn suffix(&mut self) -> String {
        self.word("bcdfghjklmnpqrstvwxz2456789", 5)
    }

    fn hash(&mut self) -> String {
        let decimal = self.below(1 << 32).to_string();
        decimal.bytes().map(|digit| char::from(b"456789bcdf"[usize::from(digit - b'0')])).collect()
    }

    fn base(&mut self) -> &'static str {
        ["web", "cert-manager", "order-api", "db2", "a.b", "ip-allow"][self.index(6)]
    }
}

/// How many of 20,000 names go unnoticed.
fn missed(resource: &str, mut name: impl FnMut(&mut Sample) -> String) -> usize {
    let mut sample = Sample(0x9e37_79b9_7f4a_7c15);
    (0..20_000).filter(|_| generated(resource, &name(&mut sample)).is_none()).count()
}

#[test]
fn hardly_any_name_that_kubernetes_makes_goes_unnoticed() {
    type Maker = fn(&mut Sample) -> String;
    // Of 20,000 each. A bare random suffix proves little where people choose names;
    // many such names side by side are another matter, and not judged here.
    let cases: [(&str, usize, Maker); 10] = [
        ("pods", 10, |s| format!("{}-{}-{}", s.base(), s.hash(), s.suffix())),
        ("pods", 100, |s| format!("{}-{}", s.base(), s.suffix())),
        ("jobs", 100, |s| format!("{}-{}", s.base(), s.suffix())),
        ("jobs", 0, |s| format!("{}-{}", s.base(), 29_900_000 + s.below(100_000))),
        ("replicasets", 0, |s| format!("{}-{}", s.base(), s.hash())),
        ("controllerrevisions", 0, |s| format!("{}-{}", s.base(), s.hash())),
        ("configmaps", 7_200, |s| format!("{}-{}", s.base(), s.suffix())),
        ("configmaps", 100, |s| format!("{}-{}", s.base(), s.word("2456789bcdfghkmt", 10))),
        ("configmaps", 2_200, |s| format!("{}-{}", s.base(), s.word(HEX, 8))),
        ("secrets", 100, |s| format!("{}-{}", s.base(), s.word(HEX, 16))),
    ];
    for (resource, bound, name) in cases {
        let missed = missed(resource, name);
        assert!(missed <= bound, "{missed} of {resource} like {}", name(&mut Sample(7)));
    }
}

const HEX: &str = "0123456789abcdef";

#[test]
fn names_put_together_from_what_people_write_are_kept() {
    let words = [
        "web",
        "api",
        "db",
        "nginx",
        "redis",
        "kafka",
        "worker",
        "https",
        "http2",
        "mtls2",
        "pgsql",
        "v2",
        "v10",
        "v2456",
        "blue",
        "green",
        "prod",
        "stg22",
        "eu-west-1",
        "use1",
        "east1",
        "lock",
        "config",
        "tls",
        "2024",
        "20261123",
        "0",
        "17",
        "x86",
        "arm64",
        "k8s",
        "p99",
        "cafe2024",
        "feed",
        "facade",
        "decade",
        "beef",
        "tmpfs",
        "httpd",
        "leader",
        "primary",
        "backup",
        "abc",
        "test1",
        "node1",
        "allow",
        "ip",
        "i",
    ];
    for resource in ["pods", "jobs", "configmaps", "leases"] {
        for first in words {
            for second in words {
                let name = format!("{first}-{second}");
                assert_eq!(generated(resource, &name), None, "{name} of {resource}");
            }
        }
    }
}
