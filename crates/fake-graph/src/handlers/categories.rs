//! The categories that the user made ("outlookCategory"); messages carry names, which need not be among them.

use serde_json::{Value, json};

use super::{Request, mailbox, mailbox_mut};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::world::World;

pub(super) fn run(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let id = request.segment("category").to_owned();
    match request.method.id {
        "masterCategories.list" => {
            let value = json!({
                "@odata.context": request.context("users('me')/outlook/masterCategories"),
                "value": mailbox(world, request)?.categories,
            });
            Ok(Answer::json(200, &value))
        }
        "masterCategories.create" => create(world, request),
        "masterCategories.get" => {
            let known = mailbox(world, request)?
                .categories
                .iter()
                .find(|category| category["id"] == id.as_str());
            Ok(Answer::json(200, known.ok_or_else(ApiError::not_found)?))
        }
        "masterCategories.update" => {
            if request.field("displayName").is_some() {
                return Err(ApiError::wrong(
                    400,
                    "ErrorInvalidPropertySet",
                    "A category's name stays.",
                ));
            }
            let color = color(request)?;
            let categories = &mut mailbox_mut(world, request)?.categories;
            let known = categories
                .iter_mut()
                .find(|category| category["id"] == id.as_str());
            let known = known.ok_or_else(ApiError::not_found)?;
            known["color"] = json!(color);
            Ok(Answer::json(200, known))
        }
        _ => {
            let categories = &mut mailbox_mut(world, request)?.categories;
            let before = categories.len();
            categories.retain(|category| category["id"] != id.as_str());
            if categories.len() == before {
                return Err(ApiError::not_found());
            }
            Ok(Answer::empty(204))
        }
    }
}

fn color(request: &Request) -> Result<String, ApiError> {
    let color = request.text("color").unwrap_or("none").to_lowercase();
    let preset = color
        .strip_prefix("preset")
        .and_then(|number| number.parse::<u8>().ok());
    if color == "none" || preset.is_some_and(|preset| preset < 25) {
        return Ok(color);
    }
    Err(ApiError::wrong(
        400,
        "ErrorInvalidArgument",
        "A color is none or preset0 to preset24.",
    ))
}

fn create(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let name = request.text("displayName").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| {
        ApiError::wrong(400, "ErrorInvalidArgument", "A category has a displayName.")
    })?;
    let color = color(request)?;
    let mailbox = mailbox_mut(world, request)?;
    let taken = |category: &Value| {
        category["displayName"]
            .as_str()
            .is_some_and(|known| known.eq_ignore_ascii_case(name))
    };
    if mailbox.categories.iter().any(taken) {
        return Err(ApiError::refused(
            409,
            "CategoryNameDuplicate",
            "The category name is used already.",
        ));
    }
    let category = json!({"id": mailbox.ids.guid(), "displayName": name, "color": color});
    mailbox.categories.push(category.clone());
    Ok(Answer::json(201, &category))
}
