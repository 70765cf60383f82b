//! Checks Apple profiles by the table `fixtures/schema/profile.txt`, which is explained at its top.

use crate::common::source;
use plist::{Dictionary, Value};
use regex_lite::Regex;
use std::collections::HashSet;
use std::fs;

struct Rule {
    payload: String,
    key: String,
    kind: String,
    presence: String,
    values: String,
}

fn rules() -> Vec<Rule> {
    let table =
        fs::read_to_string(source("tests/fixtures/schema/profile.txt")).expect("profile.txt");
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut columns = line.split('\t').map(str::to_owned);
            let mut next = || columns.next().unwrap_or_default();
            Rule { payload: next(), key: next(), kind: next(), presence: next(), values: next() }
        })
        .collect()
}

/// Returns the first fault of a profile.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let profile = read(bytes)?;
    let rules = rules();
    check_payload(&profile, &rules)?;
    for payload in payloads(&profile)? {
        check_payload(payload, &rules)?;
    }
    let identifiers = identifiers(bytes);
    let distinct: HashSet<_> = identifiers.iter().collect();
    match distinct.len() == identifiers.len() {
        true => Ok(()),
        false => Err(format!("the same identifier twice: {identifiers:?}")),
    }
}

/// The UUIDs and identifiers of a profile and its payloads.
pub fn identifiers(bytes: &[u8]) -> Vec<String> {
    let profile = read(bytes).expect("a profile");
    let all = [&profile].into_iter().chain(payloads(&profile).expect("payloads"));
    let keys = |payload: &Dictionary| {
        ["PayloadUUID", "PayloadIdentifier"].map(|key| text(payload, key).to_owned())
    };
    all.flat_map(keys).collect()
}

fn read(bytes: &[u8]) -> Result<Dictionary, String> {
    let value = plist::from_bytes(bytes).map_err(|error| error.to_string())?;
    match value {
        Value::Dictionary(profile) => Ok(profile),
        _ => Err("no dict at the top".into()),
    }
}

fn payloads(profile: &Dictionary) -> Result<Vec<&Dictionary>, String> {
    let content =
        profile.get("PayloadContent").and_then(Value::as_array).ok_or("no PayloadContent")?;
    content
        .iter()
        .map(|payload| payload.as_dictionary().ok_or("a payload is no dict".into()))
        .collect()
}

fn text<'a>(payload: &'a Dictionary, key: &str) -> &'a str {
    payload.get(key).and_then(Value::as_string).unwrap_or_default()
}

fn check_payload(payload: &Dictionary, rules: &[Rule]) -> Result<(), String> {
    let kind = text(payload, "PayloadType");
    let of_kind: Vec<_> =
        rules.iter().filter(|rule| rule.payload == "*" || rule.payload == kind).collect();
    if !of_kind.iter().any(|rule| rule.payload == kind) {
        return Err(format!("no rule for PayloadType {kind:?}"));
    }
    // A line for one payload has precedence over one for all.
    let find = |key: &str| of_kind.iter().rev().find(|rule| rule.key == key);
    for (key, value) in payload {
        let rule = find(key).ok_or(format!("{kind}: {key} is not known"))?;
        if rule.presence == "forbidden" {
            return Err(format!("{kind}: {key} is forbidden"));
        }
        check_value(value, rule).map_err(|fault| format!("{kind}: {key} {fault}"))?;
    }
    for rule in &of_kind {
        let required =
            ["required", "sent"].contains(&find(&rule.key).expect("itself").presence.as_str());
        if required && !payload.contains_key(&rule.key) {
            return Err(format!("{kind}: {} is missing", rule.key));
        }
    }
    Ok(())
}

fn check_value(value: &Value, rule: &Rule) -> Result<(), String> {
    let (kind, text) = match value {
        Value::String(text) => ("string", text.clone()),
        Value::Integer(number) => ("integer", number.to_string()),
        Value::Boolean(value) => ("boolean", value.to_string()),
        Value::Real(number) => ("real", number.to_string()),
        Value::Array(_) => ("array", "…".into()),
        Value::Dictionary(_) => ("dict", "…".into()),
        Value::Date(_) => ("date", "…".into()),
        Value::Data(_) => ("data", "…".into()),
        _ => ("other", String::new()),
    };
    if kind != rule.kind {
        return Err(format!("is {kind}, not {}", rule.kind));
    }
    let fits = match rule.values.as_str() {
        "-" => !text.is_empty(),
        values if values.starts_with('/') => {
            let pattern = values.trim_matches('/');
            Regex::new(&format!("^(?:{pattern})$")).expect("a regular expression").is_match(&text)
        }
        values => match values.split_once("..") {
            Some((first, last)) => {
                let number = |text: &str| text.parse::<i64>().expect("a number");
                (number(first)..=number(last)).contains(&number(&text))
            }
            None => values.split('|').any(|value| value == text),
        },
    };
    if fits { Ok(()) } else { Err(format!("may not be {text:?}")) }
}
