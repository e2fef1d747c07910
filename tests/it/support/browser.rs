//! A real Chromium, with a profile of its own. There is no test without it: a missing one is a
//! failure, not a skip.

use super::npm;
use super::webdriver::{Refused, WebDriver};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";
const AXE: &str = "4.14.1";

const RESOLVER: &str = "--host-resolver-rules=";
/// Names of `localhost` are this machine without being asked for; no other is known.
const LOOPBACK_ONLY: &str =
    "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1";

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);
const BETWEEN: Duration = Duration::from_millis(50);

/// What people can choose in their system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Light,
    Dark,
}

/// Keys as the protocol writes them.
pub mod key {
    pub const ENTER: &str = "\u{e007}";
    pub const ESCAPE: &str = "\u{e00c}";
    pub const TAB: &str = "\u{e004}";
    pub const UP: &str = "\u{e013}";
    pub const DOWN: &str = "\u{e015}";
    pub const LEFT: &str = "\u{e012}";
    pub const RIGHT: &str = "\u{e014}";
    pub const HOME: &str = "\u{e011}";
    pub const END: &str = "\u{e010}";
    pub const CONTROL: &str = "\u{e009}";
}

/// How many tests have browsers at once: more of them wait for each other until their patience ends.
const AT_ONCE: usize = 2;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

thread_local! {
    /// The turn of the test that runs on this thread, if it has a browser.
    static TURN: RefCell<Weak<SemaphorePermit<'static>>> = const { RefCell::new(Weak::new()) };
}

/// Waits until it is this test's turn. All browsers of a test have one together, or two tests with one
/// browser each would wait for each other for ever.
async fn turn() -> Arc<SemaphorePermit<'static>> {
    if let Some(turn) = TURN.with_borrow(Weak::upgrade) {
        return turn;
    }
    let turn = Arc::new(TURNS.acquire().await.expect("it is open"));
    TURN.set(Arc::downgrade(&turn));
    turn
}

/// A browser with one window. Ends with this value.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    /// Gone after the browser.
    _profile: tempfile::TempDir,
    _turn: Arc<SemaphorePermit<'static>>,
}

impl Browser {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more arguments. No name but those of `localhost` is found, unless
    /// `--host-resolver-rules=…` says otherwise.
    pub async fn start_with(more: &[&str]) -> Self {
        let turn = turn().await;
        let profile = tempfile::tempdir().expect("a folder");
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--no-first-run".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        if !more.iter().any(|argument| argument.starts_with(RESOLVER)) {
            arguments.push(format!("{RESOLVER}{LOOPBACK_ONLY}"));
        }
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        let capabilities = json!({
            "browserName": "chrome",
            "acceptInsecureCerts": true,
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "binary": CHROMIUM, "args": arguments },
        });
        let driver = WebDriver::start(DRIVER, &capabilities).await;
        Self { driver, _profile: profile, _turn: turn }
    }

    /// Opens an address and waits until the page is loaded.
    pub async fn open(&self, url: &str) {
        self.driver.post("/url", &json!({ "url": url })).await.expect(url);
    }

    pub async fn reload(&self) {
        self.driver.post("/refresh", &json!({})).await.expect("a page");
    }

    pub async fn url(&self) -> String {
        text(&self.driver.get("/url").await.expect("a page"))
    }

    pub async fn title(&self) -> String {
        text(&self.driver.get("/title").await.expect("a page"))
    }

    /// Whether something fits the selector now.
    pub async fn has(&self, selector: &str) -> bool {
        self.driver.find(selector).await.is_ok()
    }

    /// Waits until something fits the selector.
    pub async fn wait_for(&self, selector: &str) {
        self.element(selector).await;
    }

    /// Waits until the address is as wanted.
    pub async fn wait_for_url(&self, wanted: impl Fn(&str) -> bool) -> String {
        let mut url = String::new();
        for _ in 0..PATIENCE.as_millis() / BETWEEN.as_millis() {
            url = self.url().await;
            if wanted(&url) {
                return url;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        panic!("still at {url}")
    }

    /// Waits until the body of a function returns something true.
    pub async fn wait_until(&self, condition: &str) {
        let mut last = Value::Null;
        for _ in 0..PATIENCE.as_millis() / BETWEEN.as_millis() {
            // A page that is just being left has no functions.
            if let Ok(value) = self.driver.run(condition, &[]).await {
                if value == true {
                    return;
                }
                last = value;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        panic!("not in time: {condition} (last {last})")
    }

    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        let clicked = self.driver.post(&format!("{element}/click"), &json!({})).await;
        clicked.expect(selector);
    }

    /// Replaces what stands in a field.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.driver.post(&format!("{element}/clear"), &json!({})).await.expect(selector);
        self.press(selector, text).await;
    }

    /// Types, or presses keys, where the selector fits.
    pub async fn press(&self, selector: &str, keys: &str) {
        let element = self.element(selector).await;
        let pressed = self.driver.post(&format!("{element}/value"), &json!({ "text": keys })).await;
        pressed.expect(selector);
    }

    /// Presses keys wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        let stroke = |kind: &str, key: char| json!({ "type": kind, "value": key.to_string() });
        let down = keys.chars().map(|key| stroke("keyDown", key));
        let up = keys.chars().rev().map(|key| stroke("keyUp", key));
        let actions: Vec<_> = down.chain(up).collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.driver.post("/actions", &body).await.expect("keys");
    }

    /// Types a text wherever the focus is, letter by letter.
    pub async fn types(&self, text: &str) {
        for letter in text.chars() {
            self.keys(&letter.to_string()).await;
        }
    }

    /// Presses Tab until the focus is on what fits.
    pub async fn tab_to(&self, selector: &str) {
        let there = format!("return document.activeElement.matches({selector:?})");
        for _ in 0..120 {
            if self.run(&there).await == true {
                return;
            }
            self.keys(key::TAB).await;
        }
        panic!("no way to {selector} at {}", self.url().await);
    }

    /// What is to be read in the element.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        text(&self.driver.get(&format!("{element}/text")).await.expect(selector))
    }

    pub async fn value(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        text(&self.driver.get(&format!("{element}/property/value")).await.expect(selector))
    }

    /// `None` if it has no such attribute.
    pub async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let element = self.element(selector).await;
        let value = self.driver.get(&format!("{element}/attribute/{name}")).await.expect(selector);
        value.as_str().map(str::to_owned)
    }

    /// What the body of a function returns.
    pub async fn run(&self, script: &str) -> Value {
        self.driver.run(script, &[]).await.expect(script)
    }

    /// Cookies of the page, as the protocol shows them.
    pub async fn cookies(&self) -> Vec<Value> {
        let cookies = self.driver.get("/cookie").await.expect("cookies");
        cookies.as_array().cloned().unwrap_or_default()
    }

    /// A command of the developer tools.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.driver.devtools(command, parameters).await.expect(command)
    }

    /// Makes the window so wide, and the system's colours so.
    pub async fn look(&self, width: u32, colours: Colours) {
        let size = json!({
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if colours == Colours::Dark { "dark" } else { "light" };
        let features = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")];
        let features = features.map(|(name, value)| json!({ "name": name, "value": value }));
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Whether pages run scripts, from the next page on.
    pub async fn scripts(&self, run: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// The whole page as a PNG.
    pub async fn screenshot(&self, file: &Path) {
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let taken = self.devtools("Page.captureScreenshot", whole).await;
        let bytes = STANDARD.decode(taken["data"].as_str().expect("a picture")).expect("base64");
        std::fs::write(file, bytes).expect("a file");
    }

    /// What axe finds: rule, and the places.
    pub async fn axe(&self) -> Vec<String> {
        if self.run("return typeof axe").await == "undefined" {
            let file = npm::package("axe-core", AXE).join("axe.min.js");
            let axe = std::fs::read_to_string(file).expect("axe");
            self.driver.run(&axe, &[]).await.expect("axe loads");
        }
        let script = "const done = arguments[arguments.length - 1]; \
             axe.run(document).then((found) => done(found.violations), (error) => done(String(error)));";
        let found = self.driver.run_async(script).await.expect("axe runs");
        let violations = found.as_array().unwrap_or_else(|| panic!("axe: {found}"));
        violations.iter().map(|one| format!("{}: {}", one["id"], one["nodes"])).collect()
    }

    /// Warnings and errors that the console has got since it was last asked. Answers with an error
    /// status, which the console counts as errors, are left out.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.driver.post("/se/log", &json!({ "type": "browser" })).await.expect("a log");
        let entries = log.as_array().cloned().unwrap_or_default().into_iter();
        let grave =
            entries.filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")));
        let messages = grave.map(|entry| text(&entry["message"]));
        messages.filter(|message| !message.contains("responded with a status of")).collect()
    }

    /// Whether more is there than the width shows.
    pub async fn scrolls_sideways(&self) -> bool {
        let script = "const root = document.documentElement; \
             return root.scrollWidth > root.clientWidth;";
        self.run(script).await == true
    }

    /// Path of the first element that fits, once there is one.
    async fn element(&self, selector: &str) -> String {
        for _ in 0..PATIENCE.as_millis() / BETWEEN.as_millis() {
            match self.driver.find(selector).await {
                Ok(element) => return element,
                Err(Refused { code, message }) => {
                    assert_eq!(code, "no such element", "{selector}: {message}");
                }
            }
            tokio::time::sleep(BETWEEN).await;
        }
        panic!("no {selector} at {}", self.url().await)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
