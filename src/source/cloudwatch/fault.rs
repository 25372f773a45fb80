//! What a failed call means: wait, try again, start over, or give up.
//!
//! In: the SDK's error. Out: a [`Fault`]. The SDK's own display is never shown: it is
//! pages of debug output with headers.

use std::error::Error;

use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};

use super::error::FetchError;
use super::iam;
use super::query::Query;

/// Why a call did not give what it was made for.
#[derive(Debug)]
pub(super) enum Fault {
    /// Too many calls a second.
    Throttled,
    /// The network or the service failed, which may pass.
    Passing(String),
    /// The credentials ran out; newer ones may be had.
    Expired(FetchError),
    /// The page token is not valid any more.
    BadToken(String),
    /// Trying again would not help.
    Final(FetchError),
}

impl From<Fault> for FetchError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Throttled => Self::Throttled { calls: 1 },
            Fault::Passing(detail) => Self::Unreachable { detail },
            Fault::BadToken(detail) => Self::Endless { detail },
            Fault::Expired(error) | Fault::Final(error) => error,
        }
    }
}

/// Whom the calls ask for what: all that the messages need.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) query: Query,
    pub(super) region: String,
}

impl Target {
    /// What `error`, from a call about `stream` or else the whole group, means.
    pub(super) fn fault<E>(&self, error: &SdkError<E>, stream: Option<&str>) -> Fault
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let code = service.err().code().unwrap_or_default();
                let message = service.err().message().unwrap_or_default();
                self.refusal(status, code, &printable(message), stream)
            }
            SdkError::TimeoutError(_) => Fault::Passing("a call took too long".into()),
            SdkError::ResponseError(_) => Fault::Passing("the answer broke off".into()),
            SdkError::DispatchFailure(_) => {
                let causes = causes(error);
                self.credentials(&causes).unwrap_or(Fault::Passing(causes))
            }
            _ => {
                let causes = causes(error);
                let refused = |detail| Fault::Final(FetchError::Refused { detail });
                self.credentials(&causes).unwrap_or_else(|| refused(causes))
            }
        }
    }

    /// AWS answered, with an error. `ThrottlingException` and the credentials' errors
    /// are in no operation's model, so only their codes tell them apart.
    fn refusal(&self, status: u16, code: &str, message: &str, stream: Option<&str>) -> Fault {
        let detail = || format!("{code}: {message}");
        match code {
            "ThrottlingException"
            | "Throttling"
            | "ThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "LimitExceededException" => Fault::Throttled,
            "ExpiredTokenException" | "ExpiredToken" => {
                Fault::Expired(FetchError::ExpiredCredentials { detail: message.to_owned() })
            }
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "MissingAuthenticationToken"
            | "IncompleteSignature"
            | "InvalidAccessKeyId" => Fault::Final(FetchError::BadCredentials { detail: detail() }),
            "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => {
                Fault::Final(self.denied(message))
            }
            "ResourceNotFoundException" => Fault::Final(self.not_found(message, stream)),
            "InvalidParameterException" if message.contains("oken") => Fault::BadToken(detail()),
            _ if is_log_class(code, message) => Fault::Final(FetchError::LogClass {
                group: self.query.group.clone(),
                detail: message.to_owned(),
            }),
            _ if status == 429 => Fault::Throttled,
            _ if status >= 500 || code == "ServiceUnavailableException" => {
                Fault::Passing(format!("status {status} {code} {message}").trim_end().to_owned())
            }
            _ => Fault::Final(FetchError::Refused { detail: detail() }),
        }
    }

    fn denied(&self, message: &str) -> FetchError {
        FetchError::AccessDenied {
            detail: message.to_owned(),
            statement: iam::statement(&self.query.group, &self.region, message),
        }
    }

    fn not_found(&self, message: &str, stream: Option<&str>) -> FetchError {
        match stream {
            Some(stream) if !message.contains("group") => {
                FetchError::StreamVanished { stream: stream.to_owned() }
            }
            _ => FetchError::NoSuchGroup {
                group: self.query.group.clone(),
                region: self.region.clone(),
                cluster: self.query.cluster_name().map(str::to_owned),
            },
        }
    }

    /// The call never left for want of credentials, if `causes` say so: the SDK has no
    /// type for that.
    fn credentials(&self, causes: &str) -> Option<Fault> {
        let lower = causes.to_ascii_lowercase();
        let detail = causes.to_owned();
        if lower.contains("sso") && (lower.contains("expired") || lower.contains("cached")) {
            let profile = self.query.profile.clone();
            return Some(Fault::Final(FetchError::ExpiredSso { profile, detail }));
        }
        lower.contains("credential").then_some(Fault::Final(FetchError::NoCredentials { detail }))
    }
}

/// AWS's exact words are not documented.
fn is_log_class(code: &str, message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    code == "InvalidOperationException"
        || lower.contains("log class")
        || lower.contains("log group class")
        || lower.contains("infrequent")
}

/// The messages of what caused `error`, each once. Its own says which stage of the SDK
/// it was, and helps nobody.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        let text = printable(&error.to_string());
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}

/// A message from outside, on one line of bounded length.
fn printable(message: &str) -> String {
    const LIMIT: usize = 1_000;
    message.chars().take(LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let query = Query::cluster(
            "prod",
            "2026-11-20T09:00:00Z".parse().unwrap(),
            "2026-11-20T10:00:00Z".parse().unwrap(),
        );
        Target { query, region: "eu-west-1".into() }
    }

    fn refusal(status: u16, code: &str, message: &str) -> Fault {
        target().refusal(status, code, message, Some("kube-apiserver-audit-1"))
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        for (status, code, message, expected) in [
            (400, "ThrottlingException", "Rate exceeded", "Throttled"),
            (429, "", "", "Throttled"),
            (503, "ServiceUnavailableException", "busy", "Passing"),
            (500, "", "", "Passing"),
            (400, "ExpiredTokenException", "expired", "Expired"),
            (400, "InvalidParameterException", "The specified nextToken is invalid.", "BadToken"),
            (400, "InvalidParameterException", "Invalid filter pattern", "Final(Refused"),
            (400, "UnrecognizedClientException", "security token", "Final(BadCredentials"),
            (400, "AccessDeniedException", "no", "Final(AccessDenied"),
            (400, "InvalidOperationException", "no", "Final(LogClass"),
        ] {
            let fault = format!("{:?}", refusal(status, code, message));
            assert!(fault.starts_with(expected), "{code} {message}: {fault}");
        }
    }

    #[test]
    fn a_missing_stream_is_told_from_a_missing_group() {
        for (message, expected) in [
            ("The specified log stream does not exist.", "Final(StreamVanished"),
            ("The specified log group does not exist.", "Final(NoSuchGroup"),
        ] {
            let fault = format!("{:?}", refusal(400, "ResourceNotFoundException", message));
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    #[test]
    fn messages_from_outside_stay_on_one_line() {
        assert_eq!(printable("a\n\u{1b}[31mb"), "a  [31mb");
        assert_eq!(printable(&"x".repeat(5_000)).len(), 1_000);
    }
}
