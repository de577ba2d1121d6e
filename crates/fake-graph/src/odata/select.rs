//! `$select` and `$expand`.

use super::filter::Expr;
use crate::error::ApiError;
use crate::tables::type_of;

/// The properties that are asked for; all that are given by default where none are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Select(pub Option<Vec<String>>);

impl Select {
    /// Names of a type's properties. The types that are told apart by `@odata.type` only may be asked for all of theirs.
    pub fn parse(text: &str, types: &[&str]) -> Result<Self, ApiError> {
        let mut names = Vec::new();
        for name in text.split(',').map(str::trim) {
            let bare = name.rsplit('/').next().unwrap_or(name);
            let known = types.iter().any(|held| {
                type_of(held).is_some_and(|held| {
                    held.property(bare).is_some() || held.navigation(bare).is_some()
                })
            });
            if !known {
                let held = types.first().copied().unwrap_or_default();
                return Err(ApiError::parse(format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{held}'."
                )));
            }
            names.push(bare.to_owned());
        }
        Ok(Self(Some(names)))
    }

    pub fn names(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_some_and(|names| names.iter().any(|known| known == name))
    }

    /// Whether a property is given that is given by default.
    pub fn wants(&self, name: &str) -> bool {
        self.0.is_none() || self.names(name)
    }
}

/// What is given along with an item.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expand {
    pub attachments: Option<Select>,
    /// The ids of extended properties.
    pub extended: Option<Vec<String>>,
    /// The item in an attachment.
    pub item: bool,
    pub child_folders: bool,
}

impl Expand {
    pub fn parse(text: &str, type_name: &str) -> Result<Self, ApiError> {
        let mut expand = Self::default();
        for one in split(text) {
            let (name, options) = match one.split_once('(') {
                Some((name, rest)) => {
                    let inner = rest
                        .strip_suffix(')')
                        .ok_or_else(|| ApiError::parse("Syntax error in $expand."))?;
                    (name.trim(), inner)
                }
                None => (one.trim(), ""),
            };
            if name.eq_ignore_ascii_case("microsoft.graph.itemAttachment/item")
                && type_name == "attachment"
            {
                expand.item = true;
                continue;
            }
            let known = type_of(type_name).and_then(|held| held.navigation(name));
            if known.is_none() {
                return Err(ApiError::parse(format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'."
                )));
            }
            expand.take(name, options)?;
        }
        Ok(expand)
    }

    fn take(&mut self, name: &str, options: &str) -> Result<(), ApiError> {
        match name {
            "attachments" => {
                let mut select = Select::default();
                for option in options.split(';').filter(|option| !option.is_empty()) {
                    let names = option.trim().strip_prefix("$select=").ok_or_else(|| {
                        ApiError::parse("Only $select goes into an expansion of attachments.")
                    })?;
                    select = Select::parse(names, &["attachment", "fileAttachment"])?;
                }
                self.attachments = Some(select);
            }
            "singleValueExtendedProperties" => {
                let filter = options.trim().strip_prefix("$filter=").ok_or_else(|| {
                    ApiError::query("Extended properties are expanded with a $filter on their ids.")
                })?;
                let filter = Expr::parse(filter, "singleValueLegacyExtendedProperty")?;
                let mut ids = Vec::new();
                gather(&filter, &mut ids)?;
                for id in &ids {
                    check_extended(id)?;
                }
                self.extended = Some(ids);
            }
            "childFolders" => self.child_folders = true,
            // Nothing of these is in the mailbox.
            _ => {}
        }
        Ok(())
    }
}

/// At commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut depth, mut quoted, mut start) = (0_i32, false, 0);
    for (index, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                pieces.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

fn gather(filter: &Expr, ids: &mut Vec<String>) -> Result<(), ApiError> {
    use super::filter::{Literal, Operator};
    match filter {
        Expr::Or(left, right) => {
            gather(left, ids)?;
            gather(right, ids)
        }
        Expr::Compare(path, Operator::Eq, Literal::Text(id)) if path == &["id"] => {
            ids.push(id.clone());
            Ok(())
        }
        _ => Err(ApiError::query(
            "Extended properties are filtered by their id alone.",
        )),
    }
}

/// `{type} {tag}` or `{type} {guid} Name {name}` ("outlook extended properties").
fn check_extended(id: &str) -> Result<(), ApiError> {
    let words: Vec<&str> = id.split(' ').collect();
    let kind = words.first().copied().unwrap_or_default();
    let known = [
        "Boolean",
        "Integer",
        "Long",
        "Short",
        "Double",
        "Float",
        "String",
        "Binary",
        "SystemTime",
        "CLSID",
        "Currency",
    ];
    let tag = |text: &str| {
        text.strip_prefix("0x")
            .is_some_and(|digits| u32::from_str_radix(digits, 16).is_ok())
    };
    let fits = match words.as_slice() {
        [_, one] => tag(one),
        [_, set, "Name", _, ..] => set.len() >= 36,
        [_, set, "Id", one] => set.len() >= 36 && tag(one),
        _ => false,
    };
    if fits && known.contains(&kind) {
        return Ok(());
    }
    Err(ApiError::wrong(
        400,
        "ErrorInvalidProperty",
        format!("The extended property id '{id}' is not valid."),
    ))
}
