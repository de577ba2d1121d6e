//! The query options of a request, all known to its method and read.

use crate::error::ApiError;
use crate::odata::{Expand, Expr, Kql, Order, Select, fits};
use crate::tables::{Answer, Method};

const MOST: usize = 1000;

#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub select: Select,
    pub expand: Expand,
    pub filter: Option<Expr>,
    pub search: Option<Kql>,
    pub order: Option<Order>,
    pub top: Option<usize>,
    pub skip: usize,
    pub count: bool,
    pub hidden: bool,
    pub change_types: Vec<String>,
    pub skip_token: Option<String>,
    pub delta_token: Option<String>,
    /// As they were sent.
    pub pairs: Vec<(String, String)>,
}

impl Query {
    pub fn read(method: &Method, pairs: Vec<(String, String)>) -> Result<Self, ApiError> {
        let type_name = match method.answer {
            Answer::Entity(name) | Answer::Collection(name) => name,
            _ => "",
        };
        let mut query = Self::default();
        for (index, (name, value)) in pairs.iter().enumerate() {
            let known = method
                .query
                .iter()
                .find(|known| known.eq_ignore_ascii_case(name));
            let Some(known) = known else {
                return Err(ApiError::query(format!(
                    "The query parameter '{name}' is not supported by {}.",
                    method.id
                )));
            };
            if pairs[..index].iter().any(|(other, _)| other == name) {
                return Err(ApiError::query(format!(
                    "Query option '{name}' was specified more than once."
                )));
            }
            query.take(known, value, type_name)?;
        }
        query.pairs = pairs;
        query.agree(method)?;
        Ok(query)
    }

    fn take(&mut self, name: &str, value: &str, type_name: &str) -> Result<(), ApiError> {
        let number = || {
            value
                .parse::<usize>()
                .map_err(|_| ApiError::query(format!("Invalid value '{value}' for {name}.")))
        };
        match name {
            "$select" if type_name.is_empty() => {}
            "$select" => {
                let family: &[&str] = match type_name {
                    "mailFolder" => &["mailFolder", "mailSearchFolder"],
                    "attachment" => &[
                        "attachment",
                        "fileAttachment",
                        "itemAttachment",
                        "referenceAttachment",
                    ],
                    _ => &[type_name],
                };
                self.select = Select::parse(value, family)?;
            }
            "$expand" => self.expand = Expand::parse(value, type_name)?,
            "$filter" => self.filter = Some(Expr::parse(value, type_name)?),
            "$search" => self.search = Some(Kql::parse(value)?),
            "$orderby" => self.order = Some(Order::parse(value, type_name)?),
            "$top" => {
                let top = number()?;
                if top == 0 || top > MOST {
                    return Err(ApiError::query(format!(
                        "The limit of '{MOST}' for $top has been exceeded. The value from the incoming request is '{top}'."
                    )));
                }
                self.top = Some(top);
            }
            "$skip" => self.skip = number()?,
            "$count" => self.count = flag(name, value)?,
            "includeHiddenFolders" => self.hidden = flag(name, value)?,
            "changeType" => {
                self.change_types = value.split(',').map(str::to_owned).collect();
                let known =
                    |one: &String| matches!(one.as_str(), "created" | "updated" | "deleted");
                if !self.change_types.iter().all(known) {
                    return Err(ApiError::query(format!(
                        "Invalid value '{value}' for changeType."
                    )));
                }
            }
            "$skiptoken" => self.skip_token = Some(value.to_owned()),
            "$deltatoken" => self.delta_token = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    /// What the options say about each other.
    fn agree(&self, method: &Method) -> Result<(), ApiError> {
        if self.search.is_some() && self.filter.is_some() {
            return Err(ApiError::wrong(
                400,
                "SearchWithFilter",
                "The query parameter '$filter' is not supported with '$search'.",
            ));
        }
        if self.search.is_some() && self.order.is_some() {
            return Err(ApiError::wrong(
                400,
                "SearchWithOrderBy",
                "The query parameter '$orderBy' is not supported with '$search'.",
            ));
        }
        if self.search.is_some() && (self.skip > 0 || self.count) {
            return Err(ApiError::query(
                "'$skip' and '$count' are not supported with '$search'.",
            ));
        }
        let messages = method.answer == Answer::Collection("message");
        let delta = method.id.ends_with(".delta");
        if let (Some(order), Some(filter), true, false) =
            (&self.order, &self.filter, messages, delta)
        {
            fits(order, filter)?;
        }
        let tokens =
            usize::from(self.skip_token.is_some()) + usize::from(self.delta_token.is_some());
        let reset = self.delta_token.as_deref() == Some("");
        if delta && tokens > 0 && !reset && self.pairs.len() > tokens {
            return Err(ApiError::query(
                "Links are followed as they are: a token stands alone.",
            ));
        }
        Ok(())
    }
}

fn flag(name: &str, value: &str) -> Result<bool, ApiError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ApiError::query(format!(
            "Invalid value '{value}' for {name}."
        ))),
    }
}
