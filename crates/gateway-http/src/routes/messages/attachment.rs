use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt as _;
use gateway_operations::{Account, Gateway, OperationError};
use std::sync::Arc;

use crate::{
    download::{self, ByteRange, ExactSizes, SizeKey},
    error::{ApiError, ApiResult},
    extract::{AttachmentPath, Fields, FromQuery, Query, ReadableAccount},
    wire::EmailAttachmentContent,
};

/// In which form.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct AttachmentQuery {
    /// `media`: the octets themselves, as with `Accept: application/octet-stream`. Addition.
    alt: Option<String>,
}

impl FromQuery for AttachmentQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            alt: fields.text("alt"),
        })
    }
}

/// Download an attachment: in base64 within JSON, or its octets, also in ranges.
#[utoipa::path(
    get,
    path = "/v1/email/messages/{messageId}/attachments/{attachmentId}",
    operation_id = "emailAttachment",
    tag = "messages",
    params(
        ("messageId" = String, Path, description = "Id of the message"),
        ("attachmentId" = String, Path, description = "Id of the attachment within the message"),
        AttachmentQuery,
        ("Range" = Option<String>, Header, description = "One range of octets. Addition."),
        ("If-Range" = Option<String>, Header, description = "`ETag` that `Range` is meant for. Addition.")
    ),
    responses(
        (status = 200, description = "The attachment", content(
            (EmailAttachmentContent = "application/json"),
            (Vec<u8> = "application/octet-stream")
        )),
        (
            status = 206,
            description = "The range of it",
            body = Vec<u8>,
            content_type = "application/octet-stream",
            headers(("Content-Range" = String, description = "Which octets, and of how many"))
        )
    )
)]
pub(crate) async fn attachment(
    State(gateway): State<Gateway>,
    State(sizes): State<Arc<ExactSizes>>,
    ReadableAccount(account): ReadableAccount,
    path: AttachmentPath,
    Query(query): Query<AttachmentQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let download = Download {
        key: (account.id, path.message, path.part.clone()),
        gateway,
        sizes,
        account,
        path,
    };
    if !wants_octets(&query, &headers) {
        return download.json().await;
    }
    let tag = format!("\"{}-{}\"", download.path.message, download.path.part);
    let mut response = match download::requested(&headers, &tag) {
        Some(range) => download.range(range).await?,
        None => download.whole().await?,
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Octets are given only to those who ask for them; among two types named, the first one counts.
fn wants_octets(query: &AttachmentQuery, headers: &HeaderMap) -> bool {
    if query.alt.as_deref() == Some("media") {
        return true;
    }
    let named = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim());
    for name in named {
        if name.eq_ignore_ascii_case("application/octet-stream") {
            return true;
        }
        if name.eq_ignore_ascii_case("application/json") {
            return false;
        }
    }
    false
}

/// One download.
struct Download {
    gateway: Gateway,
    sizes: Arc<ExactSizes>,
    account: Account,
    path: AttachmentPath,
    key: SizeKey,
}

impl Download {
    async fn json(&self) -> ApiResult<Response> {
        let AttachmentPath { message, part } = &self.path;
        let download = self
            .gateway
            .attachment(&self.account, *message, part, None)
            .await?;
        let content_type = [(header::CONTENT_TYPE, "application/json")];
        let body = download::body(download::json_content(download.stream));
        Ok((content_type, body).into_response())
    }

    async fn whole(&self) -> ApiResult<Response> {
        let AttachmentPath { message, part } = &self.path;
        let download = self
            .gateway
            .attachment(&self.account, *message, part, None)
            .await?;
        let octets = self.sizes.counted(self.key.clone(), download.stream);
        let mut response = (
            octet_headers(download.attachment.name.as_deref()),
            download::body(octets),
        )
            .into_response();
        if let Some(size) = self.sizes.get(&self.key) {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, size.into());
        }
        Ok(response)
    }

    async fn range(&self, range: ByteRange) -> ApiResult<Response> {
        let size = self.exact_size().await?;
        let Ok(range) = range.within(size) else {
            return Err(unsatisfiable(size));
        };
        let AttachmentPath { message, part } = &self.path;
        let download = self
            .gateway
            .attachment(&self.account, *message, part, Some(range.clone()))
            .await?;
        let length = range.end - range.start;
        let told = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        let mut response = (
            StatusCode::PARTIAL_CONTENT,
            octet_headers(download.attachment.name.as_deref()),
            [(header::CONTENT_RANGE, told)],
            download::body(download.stream),
        )
            .into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length.into());
        Ok(response)
    }

    /// The size, counted in a download of its own where nothing went by yet.
    async fn exact_size(&self) -> ApiResult<u64> {
        if let Some(size) = self.sizes.get(&self.key) {
            return Ok(size);
        }
        let AttachmentPath { message, part } = &self.path;
        let download = self
            .gateway
            .attachment(&self.account, *message, part, None)
            .await?;
        let octets = self.sizes.counted(self.key.clone(), download.stream);
        let size = octets
            .try_fold(
                0_u64,
                |size, chunk| async move { Ok(size + chunk.len() as u64) },
            )
            .await
            .map_err(OperationError::from)?;
        Ok(size)
    }
}

fn octet_headers(name: Option<&str>) -> [(HeaderName, HeaderValue); 3] {
    [
        // Never the sender's own type: it may be one that browsers run.
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (
            header::CONTENT_DISPOSITION,
            download::attachment_disposition(name),
        ),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    ]
}

fn unsatisfiable(size: u64) -> ApiError {
    let error = ApiError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "rangeNotSatisfiable",
        "no octet of the attachment is within the range",
    );
    match HeaderValue::try_from(format!("bytes */{size}")) {
        Ok(value) => error.with_header(header::CONTENT_RANGE, value),
        Err(_) => error,
    }
}
