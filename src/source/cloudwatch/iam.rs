//! The IAM statement that reading needs, filled in as far as it can be.
//!
//! In: the log group, the Region, and AWS's refusal, which names the account. Out:
//! JSON to paste into a policy. It grants nothing but the calls that are made.

/// The statement for `group` in `region`. The account is read from the text of
/// `refusal`, and left to the reader where it does not stand there.
pub(super) fn statement(group: &str, region: &str, refusal: &str) -> String {
    let partition = partition(region);
    let account = account(refusal).unwrap_or("ACCOUNT");
    let arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}");
    format!(
        r#"{{
  "Effect": "Allow",
  "Action": ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"],
  "Resource": [
    "{arn}",
    "{arn}:*",
    "{arn}:log-stream:*"
  ]
}}"#
    )
}

fn partition(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 6] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
    ];
    let known = PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix));
    known.map_or("aws", |(_, partition)| partition)
}

/// The twelve digits of the account that the refused call was about, or else of the
/// caller: the last ones, since AWS names the caller first.
fn account(refusal: &str) -> Option<&str> {
    refusal
        .split([':', ' '])
        .rfind(|part| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSAL: &str = "User: arn:aws:sts::111122223333:assumed-role/dev/alice is not \
        authorized to perform: logs:FilterLogEvents on resource: \
        arn:aws:logs:eu-west-1:444455556666:log-group:/aws/eks/prod/cluster:log-stream: \
        because no identity-based policy allows the logs:FilterLogEvents action";

    #[test]
    fn the_statement_names_group_and_account_of_the_refusal() {
        let statement = statement("/aws/eks/prod/cluster", "eu-west-1", REFUSAL);
        let json: serde_json::Value = serde_json::from_str(&statement).unwrap();
        assert_eq!(
            json["Resource"][2],
            "arn:aws:logs:eu-west-1:444455556666:log-group:/aws/eks/prod/cluster:log-stream:*"
        );
        assert_eq!(json["Action"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn partitions_follow_the_region() {
        for (region, start) in [
            ("cn-north-1", "arn:aws-cn:logs:cn-north-1:ACCOUNT:"),
            ("us-gov-west-1", "arn:aws-us-gov:"),
            ("us-west-2", "arn:aws:"),
        ] {
            assert!(statement("g", region, "denied").contains(start), "{region}");
        }
    }
}
