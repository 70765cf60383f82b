//! YAML and JSON as trees: any text.
//!
//! Checks: values are at most as deep as is allowed; lines begin at 1, and what is inside is not above, unless it is an alias; an error has a line. JSON that serde_json takes is taken, unless it is too deep, and has the same keys and texts.

use mailsetup::import::yaml::{self, Node, Value};

/// The most values inside of each other.
const MAX_DEPTH: usize = 40;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match yaml::read(text) {
        Ok(documents) => {
            for root in &documents.roots {
                check(root, MAX_DEPTH, text.contains('*'));
            }
            let json = serde_json::from_str::<serde_json::Value>(text);
            let json = json.ok().filter(|json| json.is_object() || json.is_array());
            if let (Some(json), [root]) = (json, &documents.roots[..]) {
                same(&json, root);
            }
        }
        Err(message) => assert!(message.starts_with("line "), "{message}"),
    }
}

fn check(node: &Node, depth: usize, has_aliases: bool) {
    assert!(node.line >= 1, "{node:?}");
    let is_inner = node.map().is_some() || node.list().is_some();
    assert!(depth > 0 || !is_inner, "{node:?}");
    for (key, value) in node.map().unwrap_or_default() {
        assert!(has_aliases || key.line >= node.line, "{key:?}");
        check(value, depth - 1, has_aliases);
    }
    for value in node.list().unwrap_or_default() {
        assert!(has_aliases || value.line >= node.line, "{value:?}");
        check(value, depth - 1, has_aliases);
    }
}

fn same(json: &serde_json::Value, node: &Node) {
    match (json, &node.value) {
        (serde_json::Value::Object(map), Value::Map(pairs)) => {
            for (key, value) in map {
                if let Some(node) = node.get(key) {
                    same(value, node);
                }
            }
            assert!(pairs.len() >= map.len(), "{pairs:?}");
        }
        (serde_json::Value::Array(list), Value::List(nodes)) => {
            assert_eq!(list.len(), nodes.len());
            list.iter().zip(nodes).for_each(|(json, node)| same(json, node));
        }
        (serde_json::Value::Null, Value::Null) => {}
        // Control characters and ends of lines in texts are read in another way.
        (serde_json::Value::String(text), value) => {
            let is_plain = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
            assert!(!is_plain || *value == Value::Scalar(text.clone()), "{text:?} {value:?}");
        }
        (_, Value::Scalar(_)) => {}
        other => panic!("{other:?}"),
    }
}
