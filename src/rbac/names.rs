//! Which strings Kubernetes accepts as a name, a namespace, a label or a service account.
//!
//! A string comes in, yes or no (or its parts) goes out. The rules are those of
//! apimachinery's `validation` package and of `pkg/apis/rbac/validation`. Never repairs a string.

const LABEL_LENGTH: usize = 63;
const SUBDOMAIN_LENGTH: usize = 253;
const SERVICE_ACCOUNT_PREFIX: &str = "system:serviceaccount:";

/// Whether `name` may name a Role, a ClusterRole or a binding: any path segment, of any length.
pub fn is_rbac_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '%'])
}

/// Whether `name` is a DNS-1123 label, as a namespace must be.
pub fn is_dns_label(name: &str) -> bool {
    name.len() <= LABEL_LENGTH && is_dns_part(name)
}

/// Whether `name` is a DNS-1123 subdomain, as the name of a ServiceAccount must be.
pub fn is_dns_subdomain(name: &str) -> bool {
    name.len() <= SUBDOMAIN_LENGTH && name.split('.').all(is_dns_part)
}

/// Whether `key` may be the key of a label: `name` or `subdomain/name`.
pub fn is_label_key(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    prefix.is_none_or(is_dns_subdomain) && !name.is_empty() && is_label_value(name)
}

/// Whether `key` may be the key of an annotation: as a label's, but whatever its case.
pub fn is_annotation_key(key: &str) -> bool {
    is_label_key(&key.to_lowercase())
}

/// Whether `value` may be the value of a label; the empty string may.
pub fn is_label_value(value: &str) -> bool {
    let ends_well = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = value.as_bytes();
    bytes.len() <= LABEL_LENGTH
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// The username of a service account.
pub fn service_account_username(namespace: &str, name: &str) -> String {
    format!("{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}")
}

/// The namespace and name in a service account's username.
///
/// Nothing unless `username` has exactly those parts and both are valid: everything else is a
/// plain user to Kubernetes (`apiserver/pkg/authentication/serviceaccount/util.go`).
pub fn parse_service_account_username(username: &str) -> Option<(&str, &str)> {
    let (namespace, name) = username.strip_prefix(SERVICE_ACCOUNT_PREFIX)?.split_once(':')?;
    (is_dns_label(namespace) && is_dns_subdomain(name)).then_some((namespace, name))
}

fn is_dns_part(part: &str) -> bool {
    let lower = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.first().is_some_and(lower)
        && bytes.last().is_some_and(lower)
        && bytes.iter().all(|byte| lower(byte) || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_segment_names_a_role() {
        for name in ["a:b:c", "A b", "...", "été", "-a-", "a*b", "a\nb", &"x".repeat(300)] {
            assert!(is_rbac_name(name), "{name:?}");
        }
        for name in ["", ".", "..", "a/b", "a%b"] {
            assert!(!is_rbac_name(name), "{name:?}");
        }
    }

    #[test]
    fn label_values_are_short_and_plain() {
        for value in ["", "a", "A-b_c.9", &"x".repeat(63)] {
            assert!(is_label_value(value), "{value:?}");
        }
        for value in ["-a", "a.", "a:b", "a b", "é", &"x".repeat(64)] {
            assert!(!is_label_value(value), "{value:?}");
        }
    }

    #[test]
    fn label_keys_take_one_prefix() {
        for key in ["a", "app.kubernetes.io/name", "A_b"] {
            assert!(is_label_key(key), "{key:?}");
        }
        for key in ["", "/a", "a/", "a/b/c", "A.io/a", "a_b/c", &"x".repeat(64)] {
            assert!(!is_label_key(key), "{key:?}");
        }
        assert!(is_annotation_key("Example.IO/Name"));
    }

    #[test]
    fn a_service_account_username_has_exactly_its_parts() {
        let parse = parse_service_account_username;
        assert_eq!(parse("system:serviceaccount:shop:web"), Some(("shop", "web")));
        assert_eq!(parse("system:serviceaccount:shop:web.v2"), Some(("shop", "web.v2")));
        for user in [
            "system:serviceaccount:shop",
            "system:serviceaccount:shop:",
            "system:serviceaccount::web",
            "system:serviceaccount:shop:web:x",
            "system:serviceaccount:sh.op:web",
            "system:serviceaccount:Shop:web",
            "system:serviceaccount:shop:WEB",
            "system:serviceaccounts:shop:web",
            " system:serviceaccount:shop:web",
        ] {
            assert_eq!(parse(user), None, "{user:?}");
        }
        let long = format!("system:serviceaccount:{}:web", "x".repeat(64));
        assert_eq!(parse(&long), None);
    }

    #[test]
    fn writing_a_service_account_username_is_read_back() {
        let username = service_account_username("shop", "web");
        assert_eq!(parse_service_account_username(&username), Some(("shop", "web")));
    }
}
