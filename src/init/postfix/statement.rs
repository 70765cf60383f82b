//! From a statement that asks for one domain to one that lists all of them.
//!
//! `SELECT … FROM … WHERE domain = '%s' AND active = 1`, also several joined by UNION. Anything else
//! is refused: a wrong list is worse than none.

/// The longest statement that is read.
const MAX: usize = 16 * 1024;
/// What stands for the domain that is asked for: the whole key, or the part after its `@`.
const KEYS: [&str; 2] = ["'%s'", "'%d'"];
/// What stands for it in a search for addresses.
const ADDRESSES: [&str; 2] = ["'%%@%s'", "'%%@%d'"];

/// A kind of SQL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// That of MySQL and MariaDB.
    Sql,
    /// That of SQLite.
    Sqlite,
    /// That of PostgreSQL.
    Postgres,
}

/// The statement that lists all domains, or why it cannot be told.
pub fn list_all(query: &str, dialect: Dialect) -> Result<String, String> {
    if query.len() > MAX {
        return Err("its query is too long".to_owned());
    }
    let query = query.trim().trim_end_matches(';');
    let mut branches = Vec::new();
    let words = words(query)?;
    let mut start = 0;
    for at in 0..=words.len() {
        let is_end = at == words.len();
        if is_end || words[at].is("UNION") {
            let branch = Branch { query, words: &words[start..at] };
            let end = if is_end { query.len() } else { words[at].start };
            branches.push(branch.list(end, dialect)?);
            let is_all =
                words.get(at + 1).is_some_and(|word| word.is("ALL") || word.is("DISTINCT"));
            start = at + 1 + usize::from(is_all);
        }
    }
    let statement = branches.join(" UNION ");
    // A `%` in a query is written twice.
    if statement.replace("%%", "").contains('%') {
        return Err(not_understood("it asks for more than a domain"));
    }
    Ok(statement.replace("%%", "%"))
}

/// A word outside of quotes and parentheses.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    start: usize,
}

impl Word<'_> {
    fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }

    fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The words of a statement that are outside of quotes and parentheses.
fn words(query: &str) -> Result<Vec<Word<'_>>, String> {
    let (mut words, mut depth, mut quote, mut start) = (Vec::new(), 0_usize, None, None);
    for (at, c) in query.char_indices().chain([(query.len(), ' ')]) {
        let is_word = quote.is_none() && (c.is_alphanumeric() || c == '_' || c == '.');
        match (is_word && depth == 0, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(Word { text: &query[from..at], start: from });
                start = None;
            }
            _ => {}
        }
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), '\\') => return Err(not_understood("it has a backslash")),
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth = depth.checked_sub(1).ok_or_else(|| not_understood("its parentheses"))?;
            }
            (None, ';' | '#' | '\\') => return Err(not_understood("it is more than a query")),
            (None, '-') if query[at..].starts_with("--") => {
                return Err(not_understood("it has a comment"));
            }
            (None, '/') if query[at..].starts_with("/*") => {
                return Err(not_understood("it has a comment"));
            }
            _ => {}
        }
    }
    match (depth, quote) {
        (0, None) => Ok(words),
        _ => Err(not_understood("it is not complete")),
    }
}

/// One SELECT.
struct Branch<'a> {
    query: &'a str,
    words: &'a [Word<'a>],
}

impl<'a> Branch<'a> {
    /// The SELECT for all domains; `end` is where the branch ends in the query.
    fn list(&self, end: usize, dialect: Dialect) -> Result<String, String> {
        let find = |keyword: &str| self.words.iter().position(|word| word.is(keyword));
        let refused = ["OR", "GROUP", "HAVING", "BETWEEN", "INTO", "XOR", "CASE", "WITH", "WINDOW"];
        if let Some(keyword) = refused.iter().find(|keyword| find(keyword).is_some()) {
            return Err(not_understood(&format!("it has {keyword}")));
        }
        let (Some(0), Some(from), Some(condition)) = (find("SELECT"), find("FROM"), find("WHERE"))
        else {
            return Err(not_understood("it is not SELECT … FROM … WHERE"));
        };
        // One row is enough for Postfix; the order is of no use.
        let last =
            ["LIMIT", "ORDER", "FETCH", "FOR", "OFFSET"].iter().filter_map(|word| find(word)).min();
        let last = last.unwrap_or(self.words.len());
        if from > condition || last < condition {
            return Err(not_understood("it is not SELECT … FROM … WHERE"));
        }
        let end = self.words.get(last).map_or(end, |word| word.start);
        let tables = &self.query[self.words[from].end()..self.words[condition].start];
        let mut conditions = Vec::new();
        let mut start = self.words[condition].end();
        for word in self.words[condition..last].iter().filter(|word| word.is("AND")) {
            conditions.push(&self.query[start..word.start]);
            start = word.end();
        }
        conditions.push(&self.query[start..end]);
        let mut columns = conditions.iter().filter_map(|text| column(text.trim(), dialect));
        let column = columns.next().ok_or_else(|| not_understood("which column has the domain"))?;
        if columns.next().is_some() {
            return Err(not_understood("it compares the domain twice"));
        }
        let rest = conditions.iter().map(|text| spaced(text));
        let rest: Vec<_> = rest.filter(|text| self::column(text, dialect).is_none()).collect();
        let condition = match rest.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", rest.join(" AND ")),
        };
        Ok(format!("SELECT DISTINCT {column} FROM {}{condition}", spaced(tables)))
    }
}

/// The column that a condition compares with the domain: `domain = '%s'`, `email LIKE '%%@%s'`.
fn column(condition: &str, dialect: Dialect) -> Option<String> {
    let is_column = |text: &str| {
        let is_part = |c: char| c.is_alphanumeric() || "_.`\"".contains(c);
        !text.is_empty() && text.chars().all(is_part)
    };
    if let Some((left, right)) = condition.split_once('=') {
        let (left, right) = (left.trim(), right.trim());
        let column = match (KEYS.contains(&left), KEYS.contains(&right)) {
            (true, false) => right,
            (false, true) => left,
            _ => return None,
        };
        return is_column(column).then(|| column.to_owned());
    }
    let words: Vec<_> = condition.split_whitespace().collect();
    match words[..] {
        [column, like, key]
            if is_column(column)
                && like.eq_ignore_ascii_case("like")
                && ADDRESSES.contains(&key) =>
        {
            Some(match dialect {
                Dialect::Postgres => format!("split_part({column}, '@', 2)"),
                Dialect::Sql | Dialect::Sqlite => {
                    format!("substr({column}, instr({column}, '@') + 1)")
                }
            })
        }
        _ => None,
    }
}

/// The text with one blank for white space outside of quotes.
fn spaced(text: &str) -> String {
    let (mut out, mut quote) = (String::with_capacity(text.len()), None);
    for c in text.trim().chars() {
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '\'' | '"' | '`') => quote = Some(c),
            _ => {}
        }
        match quote.is_none() && c.is_whitespace() {
            true if out.ends_with(' ') => {}
            true => out.push(' '),
            false => out.push(c),
        }
    }
    out
}

fn not_understood(why: &str) -> String {
    format!("its query is not understood: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_domain_becomes_all() {
        for (query, expected) in [
            ("select 1 from d where n = '%s'", "SELECT DISTINCT n FROM d"),
            ("SELECT x FROM d WHERE '%s'=d.n LIMIT 1;", "SELECT DISTINCT d.n FROM d"),
            (
                "SELECT a FROM b  JOIN c ON b.x = c.y WHERE z='%d'  AND (p = 1 OR q = 'a  b') AND r",
                "SELECT DISTINCT z FROM b JOIN c ON b.x = c.y WHERE (p = 1 OR q = 'a  b') AND r",
            ),
            (
                "SELECT a FROM b WHERE a='%s' UNION ALL SELECT c FROM d WHERE c='%s' AND e LIKE 'x%%'",
                "SELECT DISTINCT a FROM b UNION SELECT DISTINCT c FROM d WHERE e LIKE 'x%'",
            ),
            (
                "SELECT 1 FROM users WHERE email LIKE '%%@%s'",
                "SELECT DISTINCT substr(email, instr(email, '@') + 1) FROM users",
            ),
        ] {
            assert_eq!(list_all(query, Dialect::Sqlite).as_deref(), Ok(expected));
        }
        let query = "SELECT 1 FROM u WHERE e LIKE '%%@%s'";
        let expected = "SELECT DISTINCT split_part(e, '@', 2) FROM u";
        assert_eq!(list_all(query, Dialect::Postgres).as_deref(), Ok(expected));
    }

    #[test]
    fn other_statements_are_refused() {
        for query in [
            "",
            "SELECT 1",
            "SELECT f('%s') FROM d WHERE a = 1",
            "SELECT 1 FROM d WHERE a = '%s' OR b = '%s'",
            "SELECT 1 FROM d WHERE lower(a) = '%s'",
            "SELECT 1 FROM d WHERE a = '%s' AND b = '%s'",
            "SELECT 1 FROM d WHERE a = '%s' AND b = '%u'",
            "SELECT 1 FROM d WHERE a = '%s' AND b IN (SELECT c FROM e WHERE f = '%s')",
            "SELECT 1 FROM d WHERE a = '%s' GROUP BY a",
            "SELECT 1 FROM d WHERE a = '%s'; DROP TABLE d",
            "SELECT 1 FROM d WHERE a = '%s' -- x",
            "SELECT 1 FROM d WHERE a = '%s' AND b = 'x\\'y'",
            "SELECT 1 FROM (d WHERE a = '%s'",
            "SELECT 1 FROM d WHERE a = '%s' UNION",
            "UPDATE d SET a = 1 WHERE a = '%s'",
        ] {
            assert!(list_all(query, Dialect::Sql).is_err(), "{query}");
        }
        assert!(list_all(&"(".repeat(MAX + 1), Dialect::Sql).is_err());
    }
}
