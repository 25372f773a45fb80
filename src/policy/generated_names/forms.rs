//! The forms that single words of generated names have. In: a word, or a name where
//! the form spans words. Out: yes or no. Knows nothing of resources.

pub(super) fn holds_uuid(text: &str) -> bool {
    const LENGTHS: [usize; 5] = [8, 4, 4, 4, 12];
    let words: Vec<&str> = text.split(['-', '.']).collect();
    words.windows(LENGTHS.len()).any(|window| {
        window.iter().zip(LENGTHS).all(|(word, length)| word.len() == length && all(word, is_hex))
    })
}

/// `ip-10-0-1-17`, alone or at the end.
pub(super) fn is_address_name(text: &str) -> bool {
    text.rfind("ip-").is_some_and(|at| {
        (at == 0 || text[..at].ends_with('-')) && is_address(&text[at + 3..], '-')
    })
}

pub(super) fn is_address(text: &str, separator: char) -> bool {
    let is_octet = |octet: &str| all(octet, is_digit) && octet.parse::<u8>().is_ok();
    text.split(separator).count() == 4 && text.split(separator).all(is_octet)
}

pub(super) fn is_instance_id(text: &str) -> bool {
    let id = text.strip_prefix("mi-").or_else(|| text.strip_prefix("i-")).unwrap_or_default();
    matches!(id.len(), 8 | 17) && is_digest(id)
}

pub(super) fn is_aks_node(last: &str) -> bool {
    let instance = last.strip_prefix("vmss").unwrap_or_default();
    instance.len() == 6 && all(instance, |b| b.is_ascii_alphanumeric())
}

/// Kubernetes writes the 32-bit hash of a pod template in decimal and replaces each
/// digit (`SafeEncodeString`). One in forty thousand has fewer than six.
pub(super) fn is_template_hash(word: &str) -> bool {
    (6..=10).contains(&word.len()) && all(word, is_encoded_digit)
}

/// Points in time from 2017 to 2046 or so: minutes (of a `CronJob`), seconds and milliseconds
/// since 1970, and `YYYYMMDDhhmmss`. Eight digits alone may be anything, a date included.
pub(super) fn is_time(digits: &str, of_controller: bool) -> bool {
    let Ok(number) = digits.parse::<u64>() else { return false };
    match digits.len() {
        8 => of_controller && (25_000_000..40_000_000).contains(&number),
        10 => (1_500_000_000..2_400_000_000).contains(&number),
        13 => (1_500_000_000_000..2_400_000_000_000).contains(&number),
        14 => {
            let date = number / 1_000_000;
            let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
            (2017..2046).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
        }
        _ => false,
    }
}

/// kustomize: ten hexadecimal digits with the vowels and their like replaced.
pub(super) fn is_content_hash(word: &str) -> bool {
    word.len() == 10 && all(word, |b| b"2456789bcdfghkmt".contains(&b)) && is_varied(word)
}

/// Eight hexadecimal digits or more that are neither a number nor a word with a number.
pub(super) fn is_digest(word: &str) -> bool {
    let digits = word.bytes().filter(|b| is_digit(*b)).count();
    word.len() >= 8 && all(word, is_hex) && digits >= 2 && changes(word) >= 2
}

/// Of random suffixes.
pub(super) const SUFFIX_LENGTH: usize = 5;

/// Five characters of the alphabet of Kubernetes' random strings, which has no vowels
/// and none of 0, 1, 3.
pub(super) fn is_suffix(word: &str) -> bool {
    word.len() == SUFFIX_LENGTH && all(word, |b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
}

/// A word without vowels that people write, or such a word or letter with a number.
pub(super) fn is_written(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    letters.len() == 1 || word.starts_with("k8s") || WORDS.binary_search(&letters).is_ok()
}

/// A letter after a digit: not a word with a number.
pub(super) fn is_jumbled(word: &str) -> bool {
    let after_digit = word.trim_start_matches(|c: char| !c.is_ascii_digit());
    after_digit.bytes().any(|b| !is_digit(b)) && !word.starts_with("k8s")
}

/// Letters and digits both.
pub(super) fn is_varied(word: &str) -> bool {
    changes(word) > 0
}

/// How often letters and digits take turns.
fn changes(word: &str) -> usize {
    word.as_bytes().windows(2).filter(|pair| is_digit(pair[0]) != is_digit(pair[1])).count()
}

pub(super) fn all(word: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    !word.is_empty() && word.bytes().all(is_allowed)
}

pub(super) fn is_digit(b: u8) -> bool {
    b.is_ascii_digit()
}

/// Object names are lower case.
pub(super) fn is_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

fn is_encoded_digit(b: u8) -> bool {
    matches!(b, b'4'..=b'9' | b'b'..=b'd' | b'f')
}

pub(super) fn cut(text: &str) -> (&str, &str) {
    text.rsplit_once(['-', '.']).unwrap_or(("", text))
}

/// Words that the alphabet of random suffixes can spell and people use in names, sorted.
pub(super) const WORDS: &[&str] = &[
    "btrfs", "cdn", "cfg", "crypt", "db", "dhcpd", "dns", "fs", "ftp", "gcp", "grpc", "grpcs",
    "html", "http", "httpd", "https", "kvm", "lb", "mgmt", "mssql", "mtls", "nfs", "nfsv", "nlb",
    "ns", "pg", "pgsql", "php", "prd", "rds", "sftp", "sftps", "smtp", "smtps", "sns", "sql",
    "sqs", "srv", "ssh", "stg", "svc", "tcp", "tls", "tlsv", "tmp", "tmpfs", "tst", "vlb", "vpc",
    "vpn", "xhtml",
];
