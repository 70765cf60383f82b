//! The report as text, for a terminal of 80 columns.
//!
//! First the verdict, then the clients by outcome, then the findings, the worst first. Only lines to
//! paste and words that are longer than a line, such as URLs, are wider.

use super::words::{self, Remedy};
use super::{Outcome, Report};
use crate::finding::Finding;
use mailsetup::finding::Level;
use mailsetup::visible::{visible, visible_lines};

/// The width, in characters.
const WIDTH: usize = 80;

/// The colours of ECMA-48 that are used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Style {
    Bold,
    Red,
    Yellow,
    Green,
    Plain,
}

/// The report; with colours for a terminal if wanted.
pub fn write(report: &Report, is_coloured: bool) -> String {
    let mut text = Text { written: String::new(), is_coloured };
    let subject = if report.is_made_up { &report.domain } else { &report.address };
    text.styled(Style::Bold, "", 2, &format!("{subject}: {}", words::verdict(report)));
    if report.is_made_up {
        text.wrapped("", 2, &format!("Looked at with the address {}.", report.address));
    }
    clients(&mut text, report);
    logins(&mut text, report);
    findings(&mut text, report);
    text.line("");
    for left_out in &report.left_out {
        text.wrapped("not looked at: ", 2, left_out);
    }
    text.wrapped("", 2, &words::effort(report));
    text.written
}

/// A text of paragraphs, each wrapped; lines that begin with a blank stay as they are.
pub fn fold(text: &str) -> String {
    let fold = |line: &str| match line.starts_with(' ') {
        true => line.to_owned(),
        false => wrap("", 0, line).join("\n"),
    };
    text.lines().map(|line| fold(line) + "\n").collect()
}

fn clients(text: &mut Text, report: &Report) {
    for (outcome, heading, groups) in words::groups(report) {
        text.line("");
        let style = match outcome {
            _ if heading == words::BY_CHOICE => Style::Bold,
            Outcome::Works => Style::Green,
            Outcome::Asks => Style::Yellow,
            Outcome::Fails => Style::Red,
        };
        text.styled(style, "", 2, heading);
        for group in groups {
            let mut line = group.clients.join(", ");
            if !group.remark.is_empty() {
                line += &format!(": {}", group.remark);
            }
            text.wrapped("  ", 4, &line);
            match group.same_as {
                Some(client) => text.wrapped("    ", 6, &format!("the same as {client}")),
                None => {
                    for setting in group.settings {
                        text.wrapped("    ", 10, &words::line(setting));
                    }
                }
            }
        }
    }
}

/// What came of `--login`.
fn logins(text: &mut Text, report: &Report) {
    let results: Vec<_> = words::logins(report).collect();
    if results.is_empty() {
        return;
    }
    text.line("");
    text.styled(Style::Bold, "", 2, "logins");
    for result in results {
        text.wrapped("  ", 4, &result);
    }
}

fn findings(text: &mut Text, report: &Report) {
    text.line("");
    if !report.has_faults() {
        text.wrapped("", 2, &words::no_faults(report));
    } else {
        text.styled(Style::Bold, "", 2, &words::counts(report));
    }
    for (level, style) in [(Level::Error, Style::Red), (Level::Warning, Style::Yellow)] {
        for finding in report.of_level(level) {
            text.line("");
            let Finding { code, subject, .. } = finding;
            text.styled(style, "", 2, &format!("{}  {code}  {subject}", words::level(level)));
            one(text, finding, report.clients.len());
        }
    }
    let mut notes = report.of_level(Level::Note).peekable();
    if notes.peek().is_some() {
        text.line("");
        text.styled(Style::Bold, "", 2, "notes");
    }
    for note in notes {
        text.wrapped("  ", 4, &format!("{}  {}: {}", note.code, note.subject, note.message));
    }
    if let Some(first) = report.findings.first().filter(|_| report.has_faults()) {
        text.line("");
        text.wrapped(
            "",
            2,
            &format!("More about a code: mailsetup-probe --explain {}", first.code),
        );
    }
}

/// A finding, without its first line.
fn one(text: &mut Text, finding: &Finding, clients: usize) {
    text.wrapped("  ", 2, &finding.message);
    if !finding.clients.is_empty() {
        text.wrapped("  hurts: ", 4, &words::hurt(finding, clients));
    }
    for (at, line) in finding.evidence.lines().enumerate() {
        text.wrapped(if at == 0 { "  seen: " } else { "    " }, 4, line);
    }
    let mut label = "  remedy: ";
    for piece in words::remedy(finding) {
        match piece {
            Remedy::Sentence(sentence) => text.wrapped(label, 4, sentence),
            Remedy::Lines(lines) => {
                if !label.trim().is_empty() {
                    text.line(label.trim_end());
                }
                for line in lines {
                    text.line(&format!("    {line}"));
                }
            }
        }
        label = "    ";
    }
}

/// The text so far.
struct Text {
    written: String,
    is_coloured: bool,
}

impl Text {
    /// A line as it is, but escaped.
    fn line(&mut self, line: &str) {
        self.written += visible_lines(line).trim_end();
        self.written.push('\n');
    }

    /// Words after a label, wrapped; further lines are indented by `indent`.
    fn wrapped(&mut self, label: &str, indent: usize, text: &str) {
        self.styled(Style::Plain, label, indent, text);
    }

    fn styled(&mut self, style: Style, label: &str, indent: usize, text: &str) {
        let code = match style {
            Style::Bold => "1",
            Style::Red => "1;31",
            Style::Yellow => "1;33",
            Style::Green => "1;32",
            Style::Plain => "",
        };
        for line in wrap(label, indent, &visible(text)) {
            match self.is_coloured && !code.is_empty() {
                true => self.written += &format!("\x1b[{code}m{line}\x1b[0m"),
                false => self.written += &line,
            }
            self.written.push('\n');
        }
    }
}

/// Lines of at most [`WIDTH`] characters, unless a word is longer. Runs of blanks within a line are kept.
fn wrap(label: &str, indent: usize, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = label.to_owned();
    let mut width = line.chars().count();
    // The blanks before the next word; the first word follows the label.
    let mut gap = 0;
    let mut is_empty = true;
    for word in text.split(' ') {
        if word.is_empty() {
            gap += 1;
            continue;
        }
        let len = word.chars().count();
        if !is_empty && width + gap + len > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            width = indent;
        } else if !is_empty {
            line.extend(std::iter::repeat_n(' ', gap));
            width += gap;
        }
        line += word;
        width += len;
        gap = 1;
        is_empty = false;
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_cut() {
        let long = "x".repeat(100);
        assert_eq!(wrap("  ", 4, "a b"), ["  a b"]);
        assert_eq!(wrap("", 2, ""), [""]);
        assert_eq!(
            wrap("see: ", 2, &format!("a {long} b")),
            ["see: a", &format!("  {long}"), "  b"]
        );
        assert_eq!(wrap("", 2, "imap  host  1"), ["imap  host  1"]);
        let text = "one two three four ".repeat(20);
        assert!(wrap("  label: ", 4, &text).iter().all(|line| line.chars().count() <= WIDTH));
        let again: Vec<_> = wrap("", 0, &text);
        assert_eq!(again.join(" "), text.trim_end());
    }
}
