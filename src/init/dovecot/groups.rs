//! The groups of settings that Dovecot 2.4 has: `group @security none { … }` defines one, and
//! `@security = none` uses it, at the top or in a block such as `protocol imap { … }`.
//!
//! `doveconf -n` prints both as they were written. As Dovecot 2.4.1 does, a setting that the block has
//! itself counts more than one of a group, wherever it stands; of two groups, the one that is defined
//! later counts more; a group that is used twice in a block has the name that comes last. A group can
//! have no other group and no filter such as `protocol`: Dovecot does not start with one.

use super::tree::{Block, MAX_ENTRIES, Refused, Setting};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The groups that Dovecot has itself. Nothing in them is of use here.
const BUILT_IN: [&str; 2] = ["@mailbox_defaults", "@metric_defaults"];

/// A use of a group that is not defined in the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// `@security = none`.
    pub text: String,
    /// Its line.
    pub line: usize,
}

/// Puts the settings of groups into the blocks that use them. Returns those that are not defined.
///
/// It is refused if it makes more settings than any configuration has.
pub fn apply(root: &mut Block) -> Result<Vec<Missing>, Refused> {
    let (groups, others) =
        std::mem::take(&mut root.blocks).into_iter().partition(|it| it.kind == "group");
    root.blocks = others;
    let mut pass =
        Pass { groups: &groups, names: HashMap::new(), room: MAX_ENTRIES, missing: vec![] };
    for (position, group) in groups.iter().enumerate() {
        let mut words = group.name.split_whitespace();
        if let (Some(group), Some(name)) = (words.next(), words.next()) {
            pass.names.insert((group, name), position);
        }
    }
    pass.block(root)?;
    Ok(pass.missing)
}

struct Pass<'g, 'a> {
    groups: &'g [Block<'a>],
    /// The positions of groups, by the words of their names.
    names: HashMap<(&'g str, &'g str), usize>,
    /// How many settings may still be added.
    room: usize,
    missing: Vec<Missing>,
}

impl<'a> Pass<'_, 'a> {
    fn block(&mut self, block: &mut Block<'a>) -> Result<(), Refused> {
        let uses = block.settings.iter().filter(|it| it.name.starts_with('@'));
        // The last one of a group is in force.
        let used: BTreeMap<&str, &Setting> = uses.map(|it| (it.name, it)).collect();
        let mut positions = Vec::new();
        for (group, setting) in used {
            match self.names.get(&(group, setting.value.as_str())) {
                Some(position) => positions.push((*position, setting.line)),
                None if BUILT_IN.contains(&group) => {}
                None => self.missing.push(Missing {
                    text: format!("{group} = {}", setting.value),
                    line: setting.line,
                }),
            }
        }
        // The one that is defined last counts most.
        positions.sort_unstable_by(|a, b| b.cmp(a));
        let groups = self.groups;
        for (position, line) in positions {
            if let Some(group) = groups.get(position) {
                self.merge(block, group, line)?;
            }
        }
        for inner in &mut block.blocks {
            self.block(inner)?;
        }
        Ok(())
    }

    /// Adds what a block does not have; `line` is where the group is used.
    fn merge(
        &mut self,
        into: &mut Block<'a>,
        from: &Block<'a>,
        line: usize,
    ) -> Result<(), Refused> {
        let size = from.settings.len() + from.blocks.len();
        self.room = self.room.checked_sub(size).ok_or(Refused::TooMany { line })?;
        let settings: HashSet<&str> = into.settings.iter().map(|it| it.name).collect();
        let mut blocks: HashMap<(&str, String), usize> = HashMap::new();
        for (position, block) in into.blocks.iter().enumerate() {
            blocks.insert((block.kind, block.name.clone()), position);
        }
        // A list is a setting or a block; the two do not mix.
        let is_new = |it: &&Setting| {
            !settings.contains(it.name) && !blocks.contains_key(&(it.name, String::new()))
        };
        let added: Vec<_> = from.settings.iter().filter(is_new).cloned().collect();
        for block in from.blocks.iter().filter(|it| !settings.contains(it.kind)) {
            let known = blocks.get(&(block.kind, block.name.clone())).copied();
            let position = known.unwrap_or_else(|| {
                let Block { kind, name, line, .. } = block;
                let (settings, blocks) = Default::default();
                into.blocks.push(Block { kind, name: name.clone(), line: *line, settings, blocks });
                into.blocks.len() - 1
            });
            if let Some(known) = into.blocks.get_mut(position) {
                self.merge(known, block, line)?;
            }
        }
        into.settings.extend(added);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;

    fn applied(text: &str) -> (Tree<'_>, Vec<Missing>) {
        let mut tree = Tree::parse(text).unwrap();
        let missing = apply(&mut tree.root).unwrap();
        (tree, missing)
    }

    #[test]
    fn own_settings_count_more_than_those_of_groups() {
        let (tree, missing) = applied(
            "group @a later {\n  ssl = no\n  hostname = of-a\n}\n\
             group @b x {\n  hostname = of-b\n  service imap-login {\n    inet_listener imap {\n\
             port = 1143\n      haproxy = yes\n    }\n  }\n}\n\
             group @c one {\n  listen = one\n}\ngroup @c two {\n  listen = two\n}\n\
             group @d d {\n  protocols {\n    pop3 = yes\n  }\n  auth_mechanisms {\n    login = yes\n  }\n}\n\
             protocols = imap\n@b = x\n@a = later\n@c = one\n@c = two\n@d = d\n\
             auth_mechanisms {\n  plain = yes\n}\n\
             service imap-login {\n  inet_listener imap {\n    port = 143\n  }\n}\n\
             protocol imap {\n  @a = later\n  ssl = required\n}\n\
             @mailbox_defaults = english\n@none = here\nssl = yes\n",
        );
        let value = |name: &str| tree.root.setting(name).unwrap().value.as_str();
        assert_eq!(value("ssl"), "yes");
        // The group that is defined later.
        assert_eq!(value("hostname"), "of-b");
        // The use that is later.
        assert_eq!(value("listen"), "two");
        assert_eq!(tree.root.of("protocols").count(), 0);
        let methods = tree.root.of("auth_mechanisms").next().unwrap();
        let methods: Vec<_> = methods.settings.iter().map(|it| it.name).collect();
        assert_eq!(methods, ["plain", "login"]);
        let listener = &tree.root.of("service").next().unwrap().blocks[0];
        assert_eq!(listener.setting("port").unwrap().value, "143");
        assert_eq!(listener.setting("haproxy").unwrap().line, 10);
        let protocol = tree.root.of("protocol").next().unwrap();
        assert_eq!(protocol.setting("ssl").unwrap().value, "required");
        assert_eq!(protocol.setting("hostname").unwrap().value, "of-a");
        assert_eq!(missing, [Missing { text: "@none = here".to_owned(), line: 47 }]);
    }

    #[test]
    fn groups_that_are_used_often_are_refused() {
        let group = format!("group @a b {{\n{}}}\n", "x = y\n".repeat(1000));
        let uses: String = (0..101).map(|it| format!("protocol {it} {{\n@a = b\n}}\n")).collect();
        let text = group + &uses;
        let mut tree = Tree::parse(&text).unwrap();
        assert_eq!(apply(&mut tree.root), Err(Refused::TooMany { line: 1304 }));
    }
}
