use crate::{commands::print, lifecycle::Ended};

pub(super) fn run() -> anyhow::Result<Ended> {
    print::line(gateway_http::openapi_json().trim_end())?;
    Ok(Ended::Finished)
}
