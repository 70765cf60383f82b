//! `contrib/mailsetup.schema.json`: JSON Schema draft-07, the newest that Taplo checks in full.
//!
//! It refuses only files that the program refuses, too. Rules that a schema cannot express
//! (placeholders, host names, files, aliases, servers that need each other) are left to `mailsetup
//! check`. The schema of a file in `domains.directory` is `#/definitions/domain`.

use super::source::{Key, Shape, Source, Word, literal, pattern, range, value};
use mailsetup::config::file::{DOMAIN_ONLY, TOP_ONLY, placeholders};
use serde_json::{Map, Value, json};

/// A tag of a language, as the keys of texts.
const LANGUAGE: &str = "^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*$";

/// The schema.
pub fn write(source: &Source) -> Value {
    let mut definitions = Map::new();
    let mut top = Map::new();
    let mut of_domain = Map::new();
    for key in &source.structs["Tables"] {
        let name = key.name.as_str();
        let Shape::Table(_) = key.shape else {
            of_domain.insert(name.to_owned(), self::key(source, key, &[name]));
            continue;
        };
        let mut whole = table(source, key, |path| !DOMAIN_ONLY.contains(&path));
        let own = table(source, key, |path| !TOP_ONLY.contains(&path));
        // A domain inherits omitted keys from the top.
        let needed = required(source, key);
        if !needed.is_empty() {
            whole["if"] = json!({ "minProperties": 1 });
            whole["then"] = json!({ "required": needed });
        }
        let mut reference = json!({ "$ref": format!("#/definitions/{name}") });
        top.insert(name.to_owned(), reference.clone());
        if own != whole {
            reference = json!({ "$ref": format!("#/definitions/domain_{name}") });
            definitions.insert(format!("domain_{name}"), own);
        }
        definitions.insert(name.to_owned(), whole);
        of_domain.insert(name.to_owned(), reference);
    }
    for key in &source.structs["File"] {
        definitions.insert(key.name.clone(), table(source, key, |_| true));
        top.insert(key.name.clone(), json!({ "$ref": format!("#/definitions/{}", key.name) }));
    }
    let mut domain = object(of_domain, &source.domain.paragraphs[0]);
    let alone = source.structs["Tables"].iter().filter(|key| key.doc.row("", "Alone").is_some());
    for key in alone {
        // Empty tables have no effect.
        let alone = json!({
            "properties": { &key.name: true },
            "additionalProperties": { "maxProperties": 0 },
        });
        domain["dependencies"] = json!({ &key.name: alone });
    }
    definitions.insert("domain".to_owned(), domain);
    let domain = pattern("domain");
    let name = format!(r"^\*$|^(\*\.)?{}", domain.trim_start_matches('^'));
    let domains = json!({
        "description": "Settings of single domains and of patterns, by their names in quotes.",
        "type": "object",
        "propertyNames": { "pattern": name },
        "additionalProperties": { "$ref": "#/definitions/domain" },
    });
    top.insert("domain".to_owned(), domains);
    let mut schema = object(
        top,
        "The configuration of mailsetup; see mailsetup.toml(5). The file of a domain is described by \
         #/definitions/domain.",
    );
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("mailsetup.toml");
    schema["definitions"] = Value::Object(definitions);
    schema
}

/// A table, with the keys for which `has` is true.
fn table(source: &Source, table: &Key, has: impl Fn(&[&str]) -> bool) -> Value {
    let mut keys = Map::new();
    let mut needs = Map::new();
    let mut without = Vec::new();
    for key in source.keys(table) {
        let path = [table.name.as_str(), key.name.as_str()];
        if !has(&path) {
            continue;
        }
        keys.insert(key.name.clone(), self::key(source, key, &path));
        if let Some(other) = key.doc.row(&table.name, "Needs") {
            needs.insert(key.name.clone(), json!([other]));
        }
        if let Some(other) = key.doc.row(&table.name, "Without") {
            without.push(json!({ "required": [key.name, other] }));
        }
    }
    let mut schema = object(keys, &table.doc.paragraphs[0]);
    if !needs.is_empty() {
        schema["dependencies"] = Value::Object(needs);
    }
    if !without.is_empty() {
        schema["not"] = json!({ "anyOf": without });
    }
    schema
}

fn required(source: &Source, table: &Key) -> Vec<String> {
    let keys = source.keys(table).into_iter();
    let needed = keys.filter(|key| key.doc.row(&table.name, "Required").is_some());
    needed.map(|key| key.name.clone()).collect()
}

fn object(keys: Map<String, Value>, about: &str) -> Value {
    json!({
        "description": about,
        "type": "object",
        "properties": keys,
        "additionalProperties": false,
    })
}

fn key(source: &Source, key: &Key, path: &[&str]) -> Value {
    let table = path[0];
    let mut schema = match &key.shape {
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Number => {
            let (first, last) = range(key).unwrap_or_else(|| panic!("{path:?} has no range"));
            json!({ "type": "integer", "minimum": first, "maximum": last })
        }
        Shape::Text => text(key),
        Shape::TextByLanguage => json!({
            "type": "object",
            "propertyNames": { "pattern": LANGUAGE },
            // These may have several lines.
            "additionalProperties": { "type": "string", "pattern": r"\S" },
        }),
        Shape::Texts => json!({ "type": "array", "items": text(key) }),
        Shape::Word(_) => words(source, key, table, |_| true),
        Shape::WordOrWords(_) => {
            let word = words(source, key, table, |_| true);
            let is_alone = |word: &Word| word.doc.row("", "Alone").is_some();
            let some = words(source, key, table, |word| !is_alone(word));
            let list =
                json!({ "type": "array", "items": some, "minItems": 1, "uniqueItems": true });
            let mut any = vec![word, list];
            let words = source.words(key, table).into_iter();
            any.extend(
                words.filter(|word| is_alone(word)).map(|word| json!({ "const": [word.name] })),
            );
            json!({ "anyOf": any })
        }
        Shape::Tables(_) => {
            let mut keys = Map::new();
            for inner in source.keys(key) {
                let path = [path, &[inner.name.as_str()]].concat();
                keys.insert(inner.name.clone(), self::key(source, inner, &path));
            }
            let mut item = object(keys, &key.doc.paragraphs[0]);
            let needed = required(source, key);
            if !needed.is_empty() {
                item["required"] = json!(needed);
            }
            json!({ "type": "array", "items": item })
        }
        Shape::Table(_) => panic!("a table in a table: {path:?}"),
    };
    if let Some(items) = key.doc.row(table, "Items") {
        schema["maxItems"] = toml(items);
    }
    if let Some(only) = key.doc.row(table, "Only") {
        schema["const"] = toml(only);
    }
    let mut about = vec![source.text(key, table)];
    let placeholders = placeholders(path).join(", ");
    if !placeholders.is_empty() {
        about.push(format!("Placeholders: {placeholders}."));
    }
    if let Some(default) = key.doc.row(table, "Default") {
        about.push(format!("Default: {default}."));
        if let Some(value) = literal(default) {
            schema["default"] = toml(value);
        }
    }
    schema["description"] = json!(about.join(" "));
    if let Some((_, example)) = key.doc.row(table, "Example").and_then(|it| it.split_once(" = ")) {
        schema["examples"] = json!([toml(example)]);
    }
    schema
}

fn text(key: &Key) -> Value {
    json!({ "type": "string", "pattern": value(key).1 })
}

/// The words for which `has` is true.
fn words(source: &Source, key: &Key, table: &str, has: impl Fn(&Word) -> bool) -> Value {
    let words = source.words(key, table).into_iter().filter(|word| has(word));
    let words: Vec<_> = words.map(|word| &word.name).collect();
    json!({ "type": "string", "enum": words })
}

/// A value of TOML.
pub fn toml(text: &str) -> Value {
    let table: toml::Table = toml::from_str(&format!("x = {text}")).expect(text);
    serde_json::to_value(&table["x"]).expect("a value of JSON")
}
