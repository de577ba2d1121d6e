//! A page to read the API and to try it, made in the browser from `/openapi.json`.

/// The page.
pub(crate) const PAGE: &str = include_str!("docs_page/docs.html");

/// Its script.
pub(crate) const SCRIPT: &str = include_str!("docs_page/docs.js");

/// Its style.
pub(crate) const STYLE: &str = include_str!("docs_page/docs.css");

/// What the page may load, run and ask: files of this host, nothing written into the page itself.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_no_other_host_and_has_no_script_in_it() {
        for text in [PAGE, SCRIPT, STYLE] {
            assert!(!text.contains("://") && !text.contains("url("));
        }
        assert!(!PAGE.contains("<style") && !PAGE.contains(" on") && !PAGE.contains("style="));
        assert_eq!(PAGE.matches("<script").count(), 1);
        assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("eval("));
    }
}
