//! `--fail-on`: which findings end a run with status 1.

use std::str::FromStr;

use wildmatch::WildMatch;

use super::{Code, Severity};

/// One thing to fail on.
#[derive(Clone, Debug, PartialEq)]
pub enum FailOn {
    /// Findings of this severity and worse.
    Severity(Severity),
    /// Findings of these codes: one, or a glob such as `unused-*`.
    Code(WildMatch),
    /// Nothing.
    Never,
}

impl FailOn {
    /// Whether a finding of that code is meant.
    pub fn means(&self, code: Code) -> bool {
        match self {
            Self::Severity(severity) => code.severity() >= *severity,
            Self::Code(glob) => glob.matches(code.label()),
            Self::Never => false,
        }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Some(severity) = Severity::ALL.into_iter().find(|it| it.label() == text) {
            return Ok(Self::Severity(severity));
        }
        let glob = WildMatch::new(text);
        if Code::ALL.iter().any(|code| glob.matches(code.label())) {
            return Ok(Self::Code(glob));
        }
        Err(format!(
            "`{text}` is neither a severity (error, warning, note) nor a code of docs/findings.md, \
             nor `never`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(text: &str, code: Code) -> bool {
        text.parse::<FailOn>().unwrap().means(code)
    }

    #[test]
    fn severities_codes_and_globs_are_understood() {
        assert!(means("error", Code::MissingNeed));
        assert!(!means("error", Code::UnusedVerb));
        assert!(means("warning", Code::MissingNeed));
        assert!(means("note", Code::UnseenSubject));
        assert!(means("unused-verb", Code::UnusedVerb));
        assert!(!means("unused-verb", Code::UnusedRule));
        assert!(means("unused-*", Code::UnusedRule));
        assert!(!means("never", Code::MissingNeed));
        assert!("unused".parse::<FailOn>().unwrap_err().contains("docs/findings.md"));
    }
}
