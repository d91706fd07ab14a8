//! As much of JSON as a report needs, which is not worth a dependency.

use std::fmt::Write as _;
use std::time::Duration;

/// An object that is being written.
pub(super) struct Json<'a> {
    out: &'a mut String,
    begun: bool,
}

impl Json<'_> {
    pub(super) fn text(write: impl FnOnce(&mut Json<'_>)) -> String {
        let mut out = String::new();
        object(&mut out, write);
        out
    }

    fn key(&mut self, key: &str) {
        if self.begun {
            self.out.push(',');
        }
        self.begun = true;
        quoted(self.out, key);
        self.out.push(':');
    }

    pub(super) fn word(&mut self, key: &str, word: &str) {
        self.key(key);
        quoted(self.out, word);
    }

    pub(super) fn flag(&mut self, key: &str, flag: bool) {
        self.key(key);
        self.out.push_str(if flag { "true" } else { "false" });
    }

    pub(super) fn count(&mut self, key: &str, count: u64) {
        self.key(key);
        // Writing to a `String` cannot fail.
        let _ = write!(self.out, "{count}");
    }

    pub(super) fn counts<const N: usize>(&mut self, counts: [(&str, u64); N]) {
        for (key, count) in counts {
            self.count(key, count);
        }
    }

    pub(super) fn number(&mut self, key: &str, number: f64) {
        self.key(key);
        if number.is_finite() {
            let _ = write!(self.out, "{number}");
        } else {
            self.out.push_str("null");
        }
    }

    pub(super) fn time(&mut self, key: &str, time: Duration) {
        self.number(key, time.as_secs_f64());
    }

    fn nothing(&mut self, key: &str) {
        self.key(key);
        self.out.push_str("null");
    }

    pub(super) fn maybe_word(&mut self, key: &str, word: Option<&str>) {
        match word {
            Some(word) => self.word(key, word),
            None => self.nothing(key),
        }
    }

    pub(super) fn maybe_count(&mut self, key: &str, count: Option<u64>) {
        match count {
            Some(count) => self.count(key, count),
            None => self.nothing(key),
        }
    }

    pub(super) fn maybe_number(&mut self, key: &str, number: Option<f64>) {
        self.number(key, number.unwrap_or(f64::NAN));
    }

    pub(super) fn maybe_time(&mut self, key: &str, time: Option<Duration>) {
        self.maybe_number(key, time.map(|time| time.as_secs_f64()));
    }

    pub(super) fn list<T>(&mut self, key: &str, items: &[T], write: impl Fn(&T, &mut Json<'_>)) {
        self.key(key);
        self.out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            object(self.out, |object| write(item, object));
        }
        self.out.push(']');
    }
}

fn object(out: &mut String, write: impl FnOnce(&mut Json<'_>)) {
    out.push('{');
    write(&mut Json { out, begun: false });
    out.push('}');
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_text_is_escaped() {
        let text = Json::text(|json| json.word("name", "a \"b\" \\ \n \u{1} ä"));
        assert_eq!(text, r#"{"name":"a \"b\" \\ \n \u0001 ä"}"#);
    }

    #[test]
    fn what_is_no_number_is_nothing() {
        let text = Json::text(|json| {
            json.number("rate", f64::INFINITY);
            json.maybe_time("age", None);
            json.time("interval", Duration::from_millis(1_500));
            json.list("empty", &[(); 0], |(), _| {});
            json.list("two", &[1, 2], |n, item| item.count("n", *n));
        });
        assert_eq!(text, r#"{"rate":null,"age":null,"interval":1.5,"empty":[],"two":[{"n":1},{"n":2}]}"#);
    }
}
