use std::time::{Duration, Instant};

use super::*;

#[test]
fn text_is_what_would_be_seen() {
    let html = "<html><head><title>T</title><style>p{}</style></head><body><!-- c -->\
        <p>Hello <b>big</b>\n world&nbsp;&amp;&#x20AC;&#150;&#0;&bogus; &lt;x&gt;</p><p>a<br>b</p>\
        <ul><li>one</li><li>two</li></ul><table><tr><td>c1</td><td>c2</td></tr></table>\
        <script>if (a<b) {}</script><pre>x  y\nz</pre></body></html>";
    assert_eq!(
        to_text(html),
        "Hello big world &€–&bogus; <x>\n\na\nb\n\n- one\n- two\n\nc1 c2\n\nx  y\nz"
    );
}

#[test]
fn quotations_are_marked() {
    assert_eq!(
        to_text("yes<blockquote>old<blockquote>older</blockquote></blockquote>no"),
        "yes\n\n> old\n\n> > older\n\nno"
    );
}

#[test]
fn broken_html_loses_as_little_as_possible() {
    assert_eq!(to_text("a < b > c"), "a < b > c");
    assert_eq!(to_text("<p>5<6"), "5<6");
    assert_eq!(to_text("<a title=\"a > b\">x</a>"), "x");
    assert_eq!(to_text("<a title=\"open>x</a> y"), "x y");
    assert_eq!(to_text("it's <b class=x'>bold</b>"), "it's bold");
    assert_eq!(to_text("a<!-- never closed"), "a");
    assert_eq!(to_text("a<style>never closed"), "a");
    assert_eq!(to_text("<![if x]>a<![endif]>"), "a");
    assert_eq!(to_text("<p"), "<p");
}

#[test]
fn text_becomes_html_that_shows_the_same() {
    let text = "a  b\n c <&\"> d";
    assert_eq!(
        from_text(text),
        "<div>a &nbsp;b<br>\n&nbsp;c &lt;&amp;&quot;&gt; d</div>"
    );
    assert_eq!(to_text(&from_text("a\n\nb <c>")), "a\n\nb <c>");
}

#[test]
fn attributes_are_found_however_they_are_written() {
    let mut tokens = Tokens::new("<DIV a=1 Class = \"x y\" id='z' b data-q=r/>");
    let Some((_, Token::Tag(tag))) = tokens.next() else {
        panic!("no tag")
    };
    assert!(tag.is("div"));
    assert_eq!(tag.attribute("class"), Some("x y"));
    assert_eq!(tag.attribute("ID"), Some("z"));
    assert_eq!(tag.attribute("b"), Some(""));
    assert_eq!(tag.attribute("none"), None);
}

#[test]
fn content_ids_are_found_and_decoded() {
    let ids = content_ids("<img src=\"cid:a%40b\"><div style=\"background:url(CID:c@d)\"> cid:");
    assert_eq!(ids, HashSet::from([Cow::from("a@b"), Cow::from("c@d")]));
}

#[test]
fn hostile_html_takes_linear_time() {
    for piece in [
        "<div>",
        "<",
        "<!--",
        "<a \"",
        "<a x=\"",
        "<a x='>\" ",
        "&",
        "<script>",
        "</",
        "<a x=\">\" <",
        "<blockquote>",
        "&#",
        "<p><",
        "<title",
        "cid:",
        "<br>",
        "<pre>\n",
        "<a x= \"",
    ] {
        let html = piece.repeat(100_000 / piece.len());
        let started = Instant::now();
        to_text(&html);
        content_ids(&html);
        from_text(&html);
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{piece} {:?}",
            started.elapsed()
        );
    }
}

proptest::proptest! {
    #[test]
    fn tokens_make_up_the_source(source in "([<>/!'\"=& -]|--|<[a-z]{1,3}|é|script|[a-z]{1,3}){0,60}") {
        let mut at = 0;
        for (range, _) in Tokens::new(&source) {
            proptest::prop_assert_eq!(range.start, at);
            proptest::prop_assert!(range.end > at);
            at = range.end;
        }
        proptest::prop_assert_eq!(at, source.len());
        proptest::prop_assert!(!to_text(&source).contains('\0'));
    }
}
