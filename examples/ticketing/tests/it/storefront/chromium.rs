//! A real Chromium, headless, driven over `WebDriver`: keys, screenshots, axe.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fs::{create_dir_all, write};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use thirtyfour::cdp::domains::emulation::SetDeviceMetricsOverride;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::prelude::*;

const AXE: &str = include_str!("vendor/axe.min.js");
/// How often Tab is pressed at most to get somewhere.
const MOST_TABS: usize = 60;

/// A browser with one window, and the driver that is its parent: the browser ends first.
pub(crate) struct Chromium {
    pub(crate) page: WebDriver,
    _driver: Driver,
    url: String,
    findings: Mutex<Vec<String>>,
}

/// The widths that pages are looked at in: a small phone and a desktop.
pub(crate) const PHONE: (u32, u32) = (360, 740);
pub(crate) const DESKTOP: (u32, u32) = (1280, 800);

impl Chromium {
    /// Starts a browser for the pages at `url`. Without Chromium the test fails: what is not looked at is not proven.
    pub(crate) async fn start(url: &str, size: (u32, u32)) -> Self {
        let mut command = Command::new("chromedriver");
        let driver =
            command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = driver.spawn().expect("chromedriver: install chromium and chromium-driver");
        let said = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = said.filter(|line| line.contains("started successfully")).find_map(|line| {
            let port = line.rsplit(' ').next()?.trim_end_matches('.').to_owned();
            port.parse::<u16>().ok()
        });
        let mut wishes = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
        ] {
            wishes.add_arg(argument).unwrap();
        }
        let port = port.expect("a port on which the driver listens");
        let page = WebDriver::new(format!("http://127.0.0.1:{port}"), wishes).await.expect("Chromium starts");
        let browser = Self { _driver: Driver(driver), page, url: url.to_owned(), findings: Mutex::default() };
        browser.resize(size).await;
        browser
    }

    pub(crate) async fn resize(&self, (width, height): (u32, u32)) {
        let metrics = SetDeviceMetricsOverride {
            width,
            height,
            device_scale_factor: 1.0,
            mobile: false,
            scale: None,
            screen_orientation: None,
        };
        self.page.cdp().send(metrics).await.unwrap();
    }

    pub(crate) async fn is_dark(&self, is_dark: bool) {
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.page.cdp().send_raw("Emulation.setEmulatedMedia", features).await.unwrap();
    }

    pub(crate) async fn open(&self, path: &str) {
        self.page.goto(format!("{}{path}", self.url)).await.unwrap();
    }

    pub(crate) async fn path(&self) -> String {
        self.page.current_url().await.unwrap().path().to_owned()
    }

    /// Waits until the page's heading says this.
    pub(crate) async fn arrives_at(&self, heading: &str) {
        let found = self.page.query(By::XPath(format!("//h1[normalize-space()={heading:?}]")));
        if let Err(error) = found.wait(Duration::from_secs(20), Duration::from_millis(50)).first().await {
            panic!("no {heading:?}: {error}\n{}", self.text().await);
        }
    }

    /// Waits until an element is there, perhaps with this text in it.
    pub(crate) async fn waits_for(&self, selector: &str, text: &str) {
        let found = self.page.query(By::Css(selector.to_owned()));
        let found = found.wait(Duration::from_secs(20), Duration::from_millis(50)).with_filter({
            let text = text.to_owned();
            move |element: WebElement| {
                let text = text.clone();
                async move { Ok(element.prop("textContent").await?.unwrap_or_default().contains(&text)) }
            }
        });
        if let Err(error) = found.first().await {
            panic!("no {selector} with {text:?}: {error}\n{}", self.text().await);
        }
    }

    pub(crate) async fn text(&self) -> String {
        self.run("return document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.page.execute(script.to_owned(), Vec::new()).await.unwrap().json().clone()
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        self.page.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Presses Tab until the focus is on what has this text, name or label; what has the focus shows it.
    pub(crate) async fn tab_to(&self, what: &str) {
        let mut seen = Vec::new();
        for _ in 0..MOST_TABS {
            self.press(Key::Tab).await;
            let focus = self.run(FOCUS).await;
            let name = focus["name"].as_str().unwrap_or_default().to_owned();
            assert_eq!(focus["shows"], true, "the focus on {name:?} is not seen");
            if name.contains(what) {
                return;
            }
            seen.push(name);
        }
        panic!("Tab does not lead to {what:?}, only to {seen:?}");
    }

    /// Looks at this page as on a phone and a desktop, in light and dark; the pictures stay beside the build. What is wrong
    /// is told by [`Self::ends_well`], so that one run tells all.
    pub(crate) async fn is_looked_at(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("storefront");
        create_dir_all(&folder).unwrap();
        for (size, is_dark) in [(PHONE, false), (DESKTOP, false), (PHONE, true), (DESKTOP, true)] {
            self.resize(size).await;
            self.is_dark(is_dark).await;
            let picture = json!({ "captureBeyondViewport": true });
            let picture = self.page.cdp().send_raw("Page.captureScreenshot", picture).await.unwrap();
            let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
            let scheme = if is_dark { "-dark" } else { "" };
            let name = format!("{name}-{}{scheme}", size.0);
            write(folder.join(format!("{name}.png")), picture).unwrap();
            let too_wide = self.run("return document.documentElement.scrollWidth - innerWidth").await;
            let mut wrong =
                Vec::from_iter((too_wide != 0).then(|| format!("{name} is {too_wide} px too wide")));
            // Colours are of the scheme, places of the width: these two see both.
            if is_dark == (size == DESKTOP) {
                wrong.extend(self.violations().await.into_iter().map(|told| format!("{name}: {told}")));
            }
            self.findings.lock().unwrap().extend(wrong);
        }
    }

    /// What axe finds: that somebody cannot see, reach or understand a part of the page.
    async fn violations(&self) -> Vec<String> {
        let run = format!(
            "{AXE}; const done = arguments[arguments.length - 1]; axe.run(document).then(done, done);"
        );
        let found = self.page.execute_async(run, Vec::new()).await.unwrap().json().clone();
        assert!(found["passes"].as_array().is_some_and(|passes| passes.len() > 10), "axe says {found}");
        let told = |violation: &Value| {
            let nodes = violation["nodes"].as_array().unwrap().iter();
            let nodes = nodes.map(|node| format!("{} {}", node["failureSummary"], node["html"]));
            format!("{} ({}): {}", violation["id"], violation["impact"], nodes.collect::<Vec<_>>().join("; "))
        };
        found["violations"].as_array().unwrap().iter().map(told).collect()
    }

    /// Checks that nothing was blocked, no script failed and nothing wrong was seen, and ends the browser.
    pub(crate) async fn ends_well(self) {
        let log = self.page.browser_log().await.unwrap_or_default();
        let wrong = log.iter().filter(|entry| {
            let text = &entry.message;
            text.contains("Content Security Policy")
                || text.contains("Uncaught")
                || text.contains("Refused to")
        });
        let wrong: Vec<_> = wrong.map(|entry| &entry.message).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let findings = self.findings.lock().unwrap().join("\n");
        assert!(findings.is_empty(), "{findings}");
        self.page.clone().quit().await.unwrap();
    }
}

struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What has the focus, as people know it, and whether it is seen: itself, or what stands for it, has an outline.
const FOCUS: &str = r#"
const focus = document.activeElement;
const label = focus.labels?.[0]?.innerText ?? "";
const outlined = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
const next = focus.nextElementSibling;
const shows = [getComputedStyle(focus), getComputedStyle(focus, "::after"), next ? getComputedStyle(next) : getComputedStyle(focus)].some(outlined);
return { name: [focus.ariaLabel, label, focus.innerText, focus.name].filter(Boolean).join(" | "), shows: shows || focus === document.body };
"#;
