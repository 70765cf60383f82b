//! Finds the commands of a page: the lines of code blocks without a language, and of those fenced
//! with `sh`. Blocks with another language (`text`, `toml`, `nginx`) are not commands.

/// A block of commands.
#[derive(Debug, PartialEq)]
pub struct Block {
    /// The line where it begins, from 1.
    pub line: usize,
    /// The last heading of the second level above it; empty before the first.
    pub section: String,
    /// Each command; one that continues on the next line has both.
    pub commands: Vec<String>,
}

/// The blocks of a page in Markdown.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut section, mut list) = (String::new(), 0);
    // The language of the fence, and whether the last line was part of an indented block.
    let (mut fence, mut inside, mut blank) = (None::<String>, false, true);
    for (at, line) in page.lines().enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(language) = text.strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(language.to_owned()) };
            inside = false;
        } else if let Some(language) = &fence {
            if language == "sh" {
                push(&mut blocks, &mut inside, (at, &section), text);
            }
        } else if text.is_empty() {
            blank = true;
            continue;
        } else if indent >= list + 4 && (inside || blank) {
            push(&mut blocks, &mut inside, (at, &section), &line[list + 4..]);
        } else {
            inside = false;
            if let Some(heading) = line.strip_prefix("## ") {
                heading.clone_into(&mut section);
            }
            match marker(text) {
                Some(width) => list = indent + width,
                None if indent == 0 => list = 0,
                None => {}
            }
        }
        blank = false;
    }
    for block in &mut blocks {
        block.commands = joined(&block.commands);
    }
    blocks
}

fn push(blocks: &mut Vec<Block>, inside: &mut bool, (at, section): (usize, &str), line: &str) {
    if !*inside {
        let (line, section) = (at + 1, section.to_owned());
        blocks.push(Block { line, section, commands: Vec::new() });
        *inside = true;
    }
    blocks.last_mut().expect("a block").commands.push(line.to_owned());
}

/// The width of a list marker.
fn marker(text: &str) -> Option<usize> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = &text[digits..];
    match rest.starts_with(". ") && digits > 0 {
        true => Some(digits + 2),
        false => text.starts_with("- ").then_some(2),
    }
}

/// Joins lines that end in a backslash or within quotes.
fn joined(lines: &[String]) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines {
        match commands.last_mut().filter(|_| open) {
            Some(command) => *command += &format!("\n{line}"),
            None => commands.push(line.clone()),
        }
        let command = commands.last().expect("a command");
        open = command.ends_with('\\') || command.matches('\'').count() % 2 == 1;
    }
    commands
}

#[test]
fn commands_are_found_in_each_form_of_block() {
    let page = "a\n\n    one\n    two \\\n      three\n\ntext\n    not\n\n## B\n\n```sh\nfour\n```\n\n\
                ```text\nno\n```\n\n1. item:\n\n       five 'a\n         b'\n\n   continued\n";
    let found = blocks(page);
    let commands = |at: usize| found[at].commands.join("|");
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(commands(0), "one|two \\\n  three");
    assert_eq!((commands(1).as_str(), found[1].section.as_str()), ("four", "B"));
    assert_eq!((commands(2).as_str(), found[2].line), ("five 'a\n  b'", 22));
}
