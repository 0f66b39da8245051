//! Relative links in the documents lead somewhere: to a file, and to a heading where they name one.
//!
//! Addresses on the network are not asked; links in Rust documentation are rustdoc's business.

use crate::tree::{self, Finding, Source, exists, report};
use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};

#[test]
fn relative_links_lead_somewhere() {
    let advice = "Correct the link, or write what it points to.";
    let documents = tree::markdown();
    let read = |path: &str| documents.iter().find(|document| document.path == path);
    report(advice, documents.iter().flat_map(|document| check(document, read, exists)));
}

/// The dead links of a document; `read` gives another document, `exists` knows every file.
fn check<'a>(
    document: &Source,
    read: impl Fn(&str) -> Option<&'a Source>,
    exists: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let line = |at: usize| document.text[..at].matches('\n').count() + 1;
    let (links, undefined) = links(&document.text);
    let mut findings: Vec<_> = undefined
        .into_iter()
        .map(|(label, at)| document.finding(line(at), format!("[{label}] is defined nowhere")))
        .collect();
    for (link, at) in links {
        let line = line(at);
        let (file, heading) =
            link.split_once('#').map_or((link.as_str(), None), |(file, id)| (file, Some(id)));
        let path = if file.is_empty() { document.path.clone() } else { resolve(&document.path, file) };
        if !file.is_empty() && !exists(&path) {
            findings.push(document.finding(line, format!("{link}: there is no {path}")));
            continue;
        }
        let target = if path == document.path { Some(document) } else { read(&path) };
        let missing =
            |id: &&str| target.is_some_and(|target| !headings(&target.text).iter().any(|h| h == id));
        if let Some(id) = heading.filter(missing) {
            findings.push(document.finding(line, format!("{path} has no heading #{id}")));
        }
    }
    findings
}

/// Something named in a text, with where it stands.
type At = (String, usize);

/// The relative targets of links and images, and the labels of references that nothing defines.
fn links(text: &str) -> (Vec<At>, Vec<At>) {
    let (mut links, mut undefined) = (Vec::new(), Vec::new());
    let mut broken = |link: BrokenLink<'_>| {
        // A word in brackets alone is a word in brackets.
        if matches!(link.link_type, LinkType::Reference | LinkType::Collapsed) {
            undefined.push((link.reference.to_string(), link.span.start));
        }
        None
    };
    let parser = Parser::new_with_broken_link_callback(text, Options::all(), Some(&mut broken));
    for (event, range) in parser.into_offset_iter() {
        if let Event::Start(Tag::Link { dest_url: target, .. } | Tag::Image { dest_url: target, .. }) = event
        {
            links.push((target.to_string(), range.start));
        } else if let Event::Html(html) | Event::InlineHtml(html) = event {
            links.extend(html_targets(&html).map(|target| (target.to_owned(), range.start)));
        }
    }
    links.retain(|(target, _)| !target.contains("://") && !target.starts_with("mailto:"));
    (links, undefined)
}

/// What `href` and `src` name.
fn html_targets(html: &str) -> impl Iterator<Item = &str> {
    ["href=", "src="].into_iter().flat_map(move |attribute| {
        html.split(attribute).skip(1).filter_map(|rest| {
            let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
            rest.split(quote).nth(1)
        })
    })
}

/// The ids that a forge gives to the headings: lower case, blanks as dashes, no punctuation.
fn headings(text: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut open: Option<String> = None;
    for event in Parser::new_ext(text, Options::all()) {
        if let Event::Start(Tag::Heading { .. }) = event {
            open = Some(String::new());
        } else if let Event::End(TagEnd::Heading(_)) = event {
            ids.extend(open.take().map(|heading| id(&heading)));
        } else if let (Event::Text(part) | Event::Code(part), Some(heading)) = (event, &mut open) {
            heading.push_str(&part);
        }
    }
    ids
}

fn id(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

/// A link from one file to another as a path from the root.
fn resolve(from: &str, link: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let start = if link.starts_with('/') { "" } else { folder };
    let mut path: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()),
            name => path.push(name),
        }
    }
    path.join("/")
}

#[test]
fn sample_documents() {
    let other = Source::new("docs/b.md", "# The `Log`, in short\n");
    let found = |text: &str| {
        let document = Source::new("docs/a.md", text);
        let read = |path: &str| (path == other.path).then_some(&other);
        let exists = |path: &str| ["docs/b.md", "core/src", "docs/a.md"].contains(&path);
        check(&document, read, exists).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        found("# Here\n[b](b.md) [c](../core/src/) [d](/docs/b.md) [e](https://example.org/x) [f](#here)"),
        ""
    );
    assert_eq!(found("[b](b.md#the-log-in-short)"), "");
    assert_eq!(found("one\n\n[b](c.md)"), "docs/a.md:3: c.md: there is no docs/c.md");
    assert_eq!(found("[b](b.md#log)"), "docs/a.md:1: docs/b.md has no heading #log");
    assert_eq!(found("[b]\n\n[b]: gone.md"), "docs/a.md:1: gone.md: there is no docs/gone.md");
    assert_eq!(found("`[b](gone.md)` and [shortcut]"), "");
    assert_eq!(found("[b][nowhere]"), "docs/a.md:1: [nowhere] is defined nowhere");
    assert_eq!(found("one\n\n[b][]"), "docs/a.md:3: [b] is defined nowhere");
    assert_eq!(found("`a[b][c]`"), "");
    let html = "see <a href=\"b.md\">b</a>, <a href='gone.md'>c</a>, <a href=\"https://example.org\">d</a>";
    assert_eq!(found(html), "docs/a.md:1: gone.md: there is no docs/gone.md");
    assert_eq!(
        found("<p>\n<img src=\"gone.png\">\n</p>"),
        "docs/a.md:2: gone.png: there is no docs/gone.png"
    );
}
