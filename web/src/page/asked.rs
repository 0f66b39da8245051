//! What of a request is remembered for its answer.

use axum::extract::Request;
use axum::http::{Method, header};

/// Where a request went, and what its sender can read.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// Whether a page is wanted rather than a document for programs, as by a browser that opens an address.
    pub(crate) wants_page: bool,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Self {
        let accept = request.headers().get_all(header::ACCEPT);
        let accept: Vec<_> = accept.iter().filter_map(|value| value.to_str().ok()).collect();
        let uri = request.uri();
        Self {
            method: request.method().clone(),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
            wants_page: wants_page(&accept.join(",")),
        }
    }
}

/// Programs that take anything get what programs read.
fn wants_page(accept: &str) -> bool {
    let of = |kinds: &[&str]| {
        let named = accept.split(',').filter_map(|part| {
            let mut parameters = part.split(';').map(str::trim);
            let kind = parameters.next()?;
            let named = kinds.iter().any(|known| kind.eq_ignore_ascii_case(known));
            named.then(|| parameters.find_map(|p| p.strip_prefix("q=")).map_or(1.0, quality))
        });
        named.fold(0.0_f32, f32::max)
    };
    let page = of(&["text/html", "application/xhtml+xml"]);
    page > 0.0 && page >= of(&["application/json", "application/problem+json"])
}

fn quality(text: &str) -> f32 {
    text.parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::wants_page;

    #[test]
    fn browsers_want_pages_and_programs_documents() {
        for page in ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "TEXT/HTML;q=0.5"] {
            assert!(wants_page(page), "{page}");
        }
        for document in
            ["", "*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0", "text/*"]
        {
            assert!(!wants_page(document), "{document}");
        }
    }
}
