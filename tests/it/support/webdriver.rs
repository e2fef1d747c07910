//! The few words of the `WebDriver` protocol that a browser is driven with here.
//!
//! Ours, because the libraries for it switch on features of libraries that Lictor ships: a test would
//! then sign and log other JSON than the server does.

use serde_json::{Value, json};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the driver is started before it is given up.
const TRIES: usize = 5;
/// What stands for an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session of a browser with its driver. Both end with this value.
#[derive(Debug)]
pub struct WebDriver {
    driver: Child,
    browser: Option<u64>,
    client: reqwest::Client,
    address: String,
}

/// Why a command was refused: the protocol's code, and a message.
#[derive(Debug)]
pub struct Refused {
    pub code: String,
    pub message: String,
}

impl WebDriver {
    /// Starts the driver, and by it a browser with these capabilities.
    pub async fn start(program: &str, capabilities: &Value) -> Self {
        let (driver, port) = (0..TRIES)
            .find_map(|_| driver(program))
            .expect("a port; install chromium and chromium-driver of one version");
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        let client = client.build().expect("a client");
        let mut driver =
            Self { driver, browser: None, client, address: format!("http://127.0.0.1:{port}") };
        let asked = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = driver.post("/session", &asked).await;
        let session = session
            .unwrap_or_else(|error| panic!("{error:?}; install chromium and chromium-driver"));
        driver.browser = session["capabilities"]["goog:processID"].as_u64();
        let name = session["sessionId"].as_str().expect("a session");
        driver.address = format!("{}/session/{name}", driver.address);
        driver
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        let request = self.client.post(format!("{}{path}", self.address));
        Self::answer(request.body(body.to_string())).await
    }

    pub async fn get(&self, path: &str) -> Result<Value, Refused> {
        Self::answer(self.client.get(format!("{}{path}", self.address))).await
    }

    /// Path of the first element that fits the selector.
    pub async fn find(&self, selector: &str) -> Result<String, Refused> {
        let body = json!({ "using": "css selector", "value": selector });
        let found = self.post("/element", &body).await?;
        Ok(format!("/element/{}", found[ELEMENT].as_str().expect("an element")))
    }

    /// What the body of a function returns.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Result<Value, Refused> {
        self.post("/execute/sync", &json!({ "script": script, "args": arguments })).await
    }

    /// The same, of a function that calls its last argument when it is done.
    pub async fn run_async(&self, script: &str) -> Result<Value, Refused> {
        self.post("/execute/async", &json!({ "script": script, "args": [] })).await
    }

    /// A command of the developer tools.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, Refused> {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    async fn answer(request: reqwest::RequestBuilder) -> Result<Value, Refused> {
        let answer = request.send().await.expect("the driver answers");
        let good = answer.status().is_success();
        let text = answer.text().await.expect("an answer");
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        let value = answer["value"].take();
        if good {
            return Ok(value);
        }
        let word = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Err(Refused { code: word("error"), message: word("message") })
    }
}

/// Starts the driver; it says where it listens. It ends instead if somebody else has got the port that
/// it chose, between its asking for the one of IPv4 and the one of IPv6.
fn driver(program: &str) -> Option<(Child, u16)> {
    let mut command = Command::new(program);
    command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut driver = command
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; install chromium and chromium-driver"));
    let output = BufReader::new(driver.stdout.take().expect("a pipe"));
    let said = output.lines().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    if said.is_none() {
        drop(driver.kill());
        drop(driver.wait());
    }
    said.map(|port| (driver, port))
}

impl WebDriver {
    /// Asks the driver to end the browser, which takes its processes and files with it.
    fn end(&self) -> io::Result<()> {
        let (_, path) = self.address.split_once(':').expect("a scheme");
        let (place, path) = path.trim_start_matches('/').split_once('/').expect("a session");
        let mut stream = TcpStream::connect(place)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "DELETE /{path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n")?;
        // The answer comes when the browser is gone.
        stream.read(&mut [0; 512]).map(drop)
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        // The driver leaves its browser behind when it is killed.
        if let Some(browser) = self.browser.filter(|_| self.end().is_err()) {
            let killed = Command::new("kill").args(["-KILL", &browser.to_string()]).status();
            drop(killed);
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
