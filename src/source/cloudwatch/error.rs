//! Why a read failed, and what to do about it.
//!
//! Each variant says who has to act: the person who typed the command, the owner of
//! the credentials, or AWS. The message is the problem; [`FetchError::hint`] is the
//! way out.

use std::path::PathBuf;

use jiff::Timestamp;
use thiserror::Error;

/// Why CloudWatch Logs could not be read, or not whole.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The user's range holds no moment.
    #[error("the range of time is empty: {since} is not before {until}")]
    EmptyRange {
        /// Its start.
        since: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// The user's range has not come yet.
    #[error("the range of time starts in the future: {since}")]
    Future {
        /// Its start.
        since: Timestamp,
    },
    /// The user's limit cannot be kept to.
    #[error("{tps} calls a second cannot be kept to")]
    BadSpeed {
        /// Calls a second.
        tps: f64,
    },
    /// Nothing says in which Region to read.
    #[error("no AWS Region is set")]
    NoRegion,
    /// Nothing in the chain of providers gave credentials.
    #[error("no AWS credentials: {detail}")]
    NoCredentials {
        /// What the providers said.
        detail: String,
    },
    /// The login of IAM Identity Center has run out.
    #[error("the AWS SSO login has expired: {detail}")]
    ExpiredSso {
        /// The user's profile, if one was named.
        profile: Option<String>,
        /// What the provider said.
        detail: String,
    },
    /// The session's credentials have run out and no provider has newer ones.
    #[error("the AWS credentials have expired: {detail}")]
    ExpiredCredentials {
        /// What AWS said.
        detail: String,
    },
    /// AWS does not take the credentials.
    #[error("AWS does not accept the credentials: {detail}")]
    BadCredentials {
        /// What AWS said.
        detail: String,
    },
    /// The credentials do not allow the call.
    #[error("access denied: {detail}")]
    AccessDenied {
        /// What AWS said.
        detail: String,
        /// The IAM statement that is missing.
        statement: String,
    },
    /// There is no such log group.
    #[error("there is no log group {group} in {region}")]
    NoSuchGroup {
        /// Its name.
        group: String,
        /// Where it was looked for.
        region: String,
        /// The cluster that it would be of, if it is an EKS name.
        cluster: Option<String>,
    },
    /// The log group has no audit streams.
    #[error("the log group {group} has no streams {prefix}*")]
    NoStreams {
        /// The log group.
        group: String,
        /// What the names of the streams should start with.
        prefix: String,
        /// Where it is.
        region: String,
        /// The cluster that it is of, if it is an EKS name.
        cluster: Option<String>,
    },
    /// A stream was deleted while it was being read.
    #[error("the log stream {stream} vanished during the read")]
    StreamVanished {
        /// Its name.
        stream: String,
    },
    /// The log group's class does not allow these calls.
    #[error("the log group {group} cannot be read event by event: {detail}")]
    LogClass {
        /// The log group.
        group: String,
        /// What AWS said.
        detail: String,
    },
    /// The quota is used up by others, for longer than is waited.
    #[error("AWS throttled {calls} calls in a row")]
    Throttled {
        /// Attempts at one call.
        calls: u32,
    },
    /// The service cannot be reached or does not answer, for longer than is waited.
    #[error("CloudWatch Logs does not answer: {detail}")]
    Unreachable {
        /// The last of several failures.
        detail: String,
    },
    /// AWS refuses the call for a reason that is not known here.
    #[error("CloudWatch Logs refuses the call: {detail}")]
    Refused {
        /// What AWS said.
        detail: String,
    },
    /// The service breaks its own rules for pages.
    #[error("CloudWatch Logs does not come to the end of a range: {detail}")]
    Endless {
        /// Which rule.
        detail: String,
    },
    /// What is read cannot be kept.
    #[error("cannot save to {path}: {detail}", path = path.display())]
    Save {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The reader was let go before its end.
    #[error("the events were not read to their end")]
    Unread,
    /// The operating system denies what the read needs, or a bug of this program.
    #[error("the read broke off: {detail}")]
    Broken {
        /// What happened.
        detail: String,
    },
}

impl FetchError {
    pub(super) fn broken(detail: &impl ToString) -> Self {
        Self::Broken { detail: detail.to_string() }
    }

    /// What to do, in one or more lines.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRegion => "give --region, or set AWS_REGION or the profile's region".into(),
            Self::NoCredentials { .. } => "give --profile, set AWS_ACCESS_KEY_ID and \
                AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`; \
                `aws sts get-caller-identity` shows what is in force"
                .into(),
            Self::ExpiredSso { profile, .. } => match profile {
                Some(profile) => format!("aws sso login --profile {profile}"),
                None => "aws sso login".into(),
            },
            Self::ExpiredCredentials { .. } => {
                "get new ones (`aws sso login` for SSO profiles) and run again".into()
            }
            Self::BadCredentials { .. } => {
                "`aws sts get-caller-identity` tries them; a clock that is minutes off has the \
                 same effect"
                    .into()
            }
            Self::AccessDenied { statement, .. } => {
                format!("the credentials need this IAM statement:\n{statement}")
            }
            Self::NoSuchGroup { region, cluster: Some(cluster), .. }
            | Self::NoStreams { region, cluster: Some(cluster), .. } => {
                audit_logging(cluster, region)
            }
            Self::NoSuchGroup { .. } => "wrong Region, account or name?".into(),
            Self::NoStreams { .. } => "--log-stream-prefix names other streams".into(),
            Self::StreamVanished { .. } => {
                "run again, with a --since after what the log group's retention deletes".into()
            }
            Self::LogClass { .. } => "log groups of the class Infrequent Access are read by Logs \
                Insights only: export the result of a query there and give the file instead"
                .into(),
            Self::Throttled { .. } => "others use this account's quota in the Region; try later, \
                or give a lower --max-tps"
                .into(),
            Self::Save { .. }
            | Self::EmptyRange { .. }
            | Self::Future { .. }
            | Self::BadSpeed { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Endless { .. }
            | Self::Unread
            | Self::Broken { .. } => return None,
        })
    }
}

fn audit_logging(cluster: &str, region: &str) -> String {
    format!(
        "is this the cluster's Region, and is audit logging on? It is turned on with\n\
         aws eks update-cluster-config --region {region} --name {cluster} --logging \
         '{{\"clusterLogging\":[{{\"types\":[\"audit\"],\"enabled\":true}}]}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_sso_names_the_login_of_the_profile() {
        let error = |profile: Option<&str>| FetchError::ExpiredSso {
            profile: profile.map(str::to_owned),
            detail: "expired".into(),
        };
        assert_eq!(error(None).hint().unwrap(), "aws sso login");
        assert_eq!(error(Some("dev")).hint().unwrap(), "aws sso login --profile dev");
    }

    #[test]
    fn a_missing_group_of_a_cluster_tells_how_audit_logging_is_turned_on() {
        let error = FetchError::NoSuchGroup {
            group: "/aws/eks/prod/cluster".into(),
            region: "eu-west-1".into(),
            cluster: Some("prod".into()),
        };
        let hint = error.hint().unwrap();
        assert!(hint.contains("--region eu-west-1 --name prod"), "{hint}");
        assert!(
            hint.ends_with("'{\"clusterLogging\":[{\"types\":[\"audit\"],\"enabled\":true}]}'")
        );
    }
}
