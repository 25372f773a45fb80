//! Grows a real log to any size: the same requests again and again, each with
//! an audit ID of its own, as a busy cluster writes them.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

const LOG: &str = "testdata/logs/cluster-shop/eks-policy.ndjson.gz";
const ID: &str = "\"auditID\":\"";

/// The lines of a log of at least `size` bytes.
pub(crate) fn lines(size: usize) -> Vec<String> {
    let log = original();
    let mut lines = Vec::new();
    let mut grown = 0;
    for copy in 0_u32.. {
        for line in log.lines() {
            let line = renumbered(line, copy);
            grown += line.len() + 1;
            lines.push(line);
        }
        if grown >= size {
            break;
        }
    }
    lines
}

/// The same as one text.
pub(crate) fn log(size: usize) -> String {
    let mut log = lines(size).join("\n");
    log.push('\n');
    log
}

fn original() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(LOG);
    let file = std::fs::File::open(path).expect("the log in testdata");
    let mut text = String::new();
    MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    text
}

/// `line` with the first eight digits of its audit ID replaced.
fn renumbered(line: &str, copy: u32) -> String {
    let Some(id) = line.find(ID).map(|at| at + ID.len()) else { return line.to_owned() };
    format!("{}{copy:08x}{}", &line[..id], &line[id + 8..])
}
