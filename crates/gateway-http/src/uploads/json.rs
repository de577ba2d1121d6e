//! JSON in which attachments stand in base64, read as it arrives: attachments go to their place octet by octet, and only
//! the rest is collected.

use std::io::{self, Read};

use serde_json::{Map, Number, Value};
use struson::reader::{JsonReader as _, JsonStreamReader, ReaderSettings, ValueType};

use super::{
    base64_text,
    contents::{Contents, NotKept},
    feed::{Allowance, Metered},
};
use crate::error::{ApiError, ApiResult};

/// What a message may have beside its attachments, in octets.
const LARGEST: usize = 8 << 20;

/// Names and numbers are read as a whole, with the space around them: octets.
const LONGEST_TOKEN: usize = 64 << 10;

/// What a value takes in memory beside its text, about.
const NODE: usize = 64;

/// Deepest nesting.
const DEEPEST: u32 = 32;

/// Reads an object to the end of the source. Where it has `attachments[i].content`, the number of the kept contents stands
/// in its place. `null` is left out.
pub(super) fn read(source: impl Read, contents: &mut Contents) -> ApiResult<Value> {
    let (metered, allowance) = Metered::new(source);
    let settings = ReaderSettings {
        max_nesting_depth: Some(DEEPEST),
        track_path: false,
        ..ReaderSettings::default()
    };
    let mut walk = Walk {
        reader: JsonStreamReader::new_custom(metered, settings),
        allowance,
        left: LARGEST,
        contents,
    };
    let value = walk.value(Place::Top)?;
    walk.allowance.set(usize::MAX);
    let Walk { reader, .. } = walk;
    if reader.consume_trailing_whitespace().is_err() {
        return Err(ApiError::bad_request(
            "the body goes on after its JSON object",
        ));
    }
    value
        .filter(Value::is_object)
        .ok_or_else(|| ApiError::bad_request("the body is not a JSON object"))
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Top,
    Attachments,
    Attachment(usize),
    Content(usize),
    Elsewhere,
}

impl Place {
    fn member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Top, "attachments") => Self::Attachments,
            (Self::Attachment(index), "content") => Self::Content(index),
            _ => Self::Elsewhere,
        }
    }

    fn element(self, index: usize) -> Self {
        match self {
            Self::Attachments => Self::Attachment(index),
            _ => Self::Elsewhere,
        }
    }
}

struct Walk<'a, R: Read> {
    reader: JsonStreamReader<Metered<R>>,
    allowance: Allowance,
    left: usize,
    contents: &'a mut Contents,
}

impl<R: Read> Walk<'_, R> {
    /// The next value; `None` for `null`.
    fn value(&mut self, place: Place) -> ApiResult<Option<Value>> {
        self.allowance.set(LONGEST_TOKEN);
        let kind = self.reader.peek();
        let kind = kind.map_err(|_| self.malformed())?;
        self.charge(NODE)?;
        if let Place::Content(index) = place {
            return match kind {
                ValueType::String => self.content(index).map(Some),
                ValueType::Null => self.null(),
                _ => Err(ApiError::bad_request(format!(
                    "field attachments[{index}].content of the body is of a wrong type"
                ))),
            };
        }
        match kind {
            ValueType::Object => self.object(place).map(Some),
            ValueType::Array => self.array(place).map(Some),
            ValueType::String => self.text().map(|text| Some(Value::String(text))),
            ValueType::Number => self.number().map(Some),
            ValueType::Boolean => {
                let truth = self.reader.next_bool();
                truth
                    .map(|truth| Some(Value::Bool(truth)))
                    .map_err(|_| self.malformed())
            }
            ValueType::Null => self.null(),
        }
    }

    fn null(&mut self) -> ApiResult<Option<Value>> {
        let null = self.reader.next_null();
        null.map(|()| None).map_err(|_| self.malformed())
    }

    fn object(&mut self, place: Place) -> ApiResult<Value> {
        let mut members = Map::new();
        let begun = self.reader.begin_object();
        begun.map_err(|_| self.malformed())?;
        while self.has_next()? {
            let name = self.reader.next_name_owned();
            let name = name.map_err(|_| self.malformed())?;
            self.charge(NODE + name.len())?;
            match self.value(place.member(&name))? {
                Some(value) => members.insert(name, value),
                None => members.remove(&name),
            };
        }
        let ended = self.reader.end_object();
        ended.map_err(|_| self.malformed())?;
        Ok(Value::Object(members))
    }

    fn array(&mut self, place: Place) -> ApiResult<Value> {
        let mut elements = Vec::new();
        let begun = self.reader.begin_array();
        begun.map_err(|_| self.malformed())?;
        while self.has_next()? {
            elements.extend(self.value(place.element(elements.len()))?);
        }
        let ended = self.reader.end_array();
        ended.map_err(|_| self.malformed())?;
        Ok(Value::Array(elements))
    }

    fn has_next(&mut self) -> ApiResult<bool> {
        self.allowance.set(LONGEST_TOKEN);
        let more = self.reader.has_next();
        more.map_err(|_| self.malformed())
    }

    fn number(&mut self) -> ApiResult<Value> {
        let number = self.reader.next_number_as_string();
        let number = number.map_err(|_| self.malformed())?;
        let number = number.parse::<Number>();
        number.map(Value::Number).map_err(|_| self.malformed())
    }

    fn text(&mut self) -> ApiResult<String> {
        self.allowance.set(usize::MAX);
        let most = self.left;
        let mut text = Vec::new();
        let read = match self.reader.next_string_reader() {
            Ok(reader) => reader.take(most as u64 + 1).read_to_end(&mut text),
            Err(_) => Err(io::ErrorKind::InvalidData.into()),
        };
        read.map_err(|_| self.malformed())?;
        self.charge(text.len())?;
        String::from_utf8(text).map_err(|_| self.malformed())
    }

    /// Keeps the content of an attachment; its number stands for it.
    fn content(&mut self, index: usize) -> ApiResult<Value> {
        self.allowance.set(usize::MAX);
        let kept = match self.reader.next_string_reader() {
            Ok(text) => self.contents.keep(base64_text::decoded(text)),
            Err(_) => Err(NotKept::Unreadable(io::ErrorKind::UnexpectedEof.into())),
        };
        let number = kept.map_err(|not_kept| {
            not_kept.of(|error| match error.kind() {
                io::ErrorKind::InvalidData => {
                    ApiError::bad_request(format!("attachments[{index}].content is not base64"))
                }
                _ => self.malformed(),
            })
        })?;
        Ok(number.into())
    }

    /// Counts what is collected.
    fn charge(&mut self, octets: usize) -> ApiResult<()> {
        match self.left.checked_sub(octets) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(ApiError::too_large(format!(
                "a message has at most {LARGEST} octets beside its attachments"
            ))),
        }
    }

    /// Tells the place and never the text.
    fn malformed(&self) -> ApiError {
        let place = self.reader.current_position(false).line_pos;
        let place = place.map_or_else(String::new, |place| {
            format!(" (line {}, column {})", place.line + 1, place.column + 1)
        });
        ApiError::bad_request(format!("the body is not JSON{place}"))
    }
}

#[cfg(test)]
mod tests;
