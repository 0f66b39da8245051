//! A browser without scripts: opens pages, fills in the forms that they have, keeps cookies, follows where it is led.

use crate::binary::Server;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};

/// What browsers accept when they open a page.
const PAGES: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A browser, and the page that it shows.
#[derive(Debug, Clone)]
pub(crate) struct Plain<'a> {
    server: &'a Server,
    http: Client,
    pub(crate) status: u16,
    pub(crate) path: String,
    pub(crate) html: String,
    pub(crate) headers: HeaderMap,
}

impl<'a> Plain<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        let http = Client::builder().cookie_store(true).build().unwrap();
        let (path, html) = (String::new(), String::new());
        Self { server, http, status: 0, path, html, headers: HeaderMap::new() }
    }

    /// A browser of somebody who has signed in.
    pub(crate) async fn of(server: &'a Server, email: &str) -> Self {
        let mut browser = Self::new(server);
        browser.open("/sign-in").await.submit("/sign-in/development", &[("email", email)]).await;
        browser.shows("Sign out")
    }

    pub(crate) async fn open(&mut self, path: &str) -> &mut Self {
        let request = self.http.get(format!("{}{path}", self.server.url));
        self.load(request).await
    }

    /// Sends the form of this page that goes to `action`, with its hidden fields and these.
    pub(crate) async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) -> &mut Self {
        let form = self.form(action);
        let mut all = hidden(&form);
        all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.send(action, &all).await
    }

    /// Sends these fields, whatever the page has.
    pub(crate) async fn send(&mut self, action: &str, fields: &[(String, String)]) -> &mut Self {
        let request = self.http.post(format!("{}{action}", self.server.url)).form(fields);
        self.load(request.header("origin", self.server.url.clone())).await
    }

    /// Sends a form as a page of another site would.
    pub(crate) async fn attack(&mut self, action: &str, origin: &str) -> &mut Self {
        let request =
            self.http.post(format!("{}{action}", self.server.url)).form(&[("idempotency_key", "evil")]);
        self.load(request.header("origin", origin.to_owned())).await
    }

    /// The hidden fields of the form that goes to `action`.
    pub(crate) fn fields(&self, action: &str) -> Vec<(String, String)> {
        hidden(&self.form(action))
    }

    /// Checks that the page says something.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(
            self.html.contains(text),
            "{text:?} is not on {} ({}):\n{}",
            self.path,
            self.status,
            self.html
        );
        self
    }

    /// As [`Self::says`], for the end of a chain.
    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        self.says(text);
        self
    }

    #[track_caller]
    pub(crate) fn has_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}:\n{}", self.path, self.html);
        self
    }

    fn form(&self, action: &str) -> String {
        let found =
            self.html.split("<form").skip(1).find(|form| form.contains(&format!("action=\"{action}\"")));
        let form = found.unwrap_or_else(|| panic!("no form to {action} on {}:\n{}", self.path, self.html));
        form.split("</form>").next().unwrap().to_owned()
    }

    async fn load(&mut self, request: RequestBuilder) -> &mut Self {
        let answer = request.header("accept", PAGES).send().await.unwrap();
        self.status = answer.status().as_u16();
        self.path = answer.url().path().to_owned();
        self.headers = answer.headers().clone();
        self.html = answer.text().await.unwrap();
        self.check();
        self
    }

    /// What holds for every page.
    fn check(&self) {
        let policy = self.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(self.headers["content-type"], "text/html; charset=utf-8", "{}", self.html);
        for (text, times) in [("<html lang=\"en\">", 1), ("<h1", 1), ("<main id=\"main\"", 1), ("<script", 1)]
        {
            assert_eq!(self.html.matches(text).count(), times, "{text} on {}:\n{}", self.path, self.html);
        }
        assert!(self.html.contains("<a class=\"skip\" href=\"#main\">") && !self.html.contains(" style=\""));
    }
}

fn hidden(form: &str) -> Vec<(String, String)> {
    let inputs = form.split("<input type=\"hidden\" ").skip(1);
    let attribute = |input: &str, name: &str| {
        let (_, rest) = input.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    inputs.map(|input| (attribute(input, "name"), unescaped(&attribute(input, "value")))).collect()
}

/// What a browser makes of the references that escaping writes.
fn unescaped(text: &str) -> String {
    let pairs =
        [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
