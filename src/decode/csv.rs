//! The fields of one CSV line.
//!
//! Audit events never span lines, so records are taken line by line: a stray
//! quote then spoils one line, not the rest of the file.

use csv_core::{ReadFieldResult, Reader};

/// The fields of `line`, unquoted.
pub(super) fn fields(line: &str) -> Vec<String> {
    let mut reader = Reader::new();
    let mut input = line.as_bytes();
    let mut fields = Vec::new();
    let mut field = vec![0; line.len() + 1];
    let mut filled = 0;
    loop {
        let (result, read, written) = reader.read_field(input, &mut field[filled..]);
        input = &input[read..];
        filled += written;
        match result {
            // Asked again with nothing to read, the reader ends the last field.
            ReadFieldResult::InputEmpty => {}
            ReadFieldResult::Field { record_end } => {
                fields.push(String::from_utf8_lossy(&field[..filled]).into_owned());
                filled = 0;
                if record_end {
                    return fields;
                }
            }
            ReadFieldResult::OutputFull | ReadFieldResult::End => return fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_empty_fields_are_read_as_rfc_4180_says() {
        assert_eq!(fields(r#"a,,"b ""x"", c","#), ["a", "", r#"b "x", c"#, ""]);
        assert_eq!(fields("one"), ["one"]);
        assert_eq!(fields(r#"1,"{""a"":""\""q\""""}""#), ["1", r#"{"a":"\"q\""}"#]);
        assert_eq!(fields(r#"1,"never closed, "#), ["1", "never closed, "]);
        assert_eq!(fields(""), [""; 0]);
    }
}
