//! As much of the W3C WebDriver protocol as a form needs: <https://www.w3.org/TR/webdriver2/>.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_servers::Chromium;

/// The name of an element's id in answers (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long a page may take to become what it is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser's window.
pub struct Session {
    http: reqwest::Client,
    url: String,
}

impl Session {
    /// Opens a browser with an empty profile of this name.
    pub async fn open(chromium: &Chromium, profile: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_built_in_root_certs(false)
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        let mut session = Self {
            http,
            url: chromium.url(),
        };
        let options =
            json!({ "binary": chromium.program(), "args": chromium.flags(profile).unwrap() });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let body = json!({ "capabilities": { "alwaysMatch": wanted } });
        let opened = session.post("/session", body).await;
        let id = opened["sessionId"].as_str().unwrap();
        session.url = format!("{}/session/{id}", session.url);
        // A click may be answered before the page that follows is there.
        let patience = PATIENCE.as_millis();
        session
            .post("/timeouts", json!({ "implicit": patience }))
            .await;
        session
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let error = &answer["value"]["error"];
        assert!(error.is_null(), "{answer}");
        answer["value"].clone()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.answer(self.http.post(format!("{}{path}", self.url)).json(&body))
            .await
    }

    async fn get(&self, path: &str) -> Value {
        self.answer(self.http.get(format!("{}{path}", self.url)))
            .await
    }

    /// Loads a page, redirects and all.
    pub async fn go(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// Where the window is, once that begins so; where it is after a while if it never does.
    pub async fn location(&self, beginning: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let url = self.get("/url").await.as_str().unwrap().to_owned();
            if url.starts_with(beginning) || Instant::now() > end {
                return url;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn find(&self, css: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": css });
        let found = self.post("/element", wanted).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Types into a field, after what is there.
    pub async fn type_into(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        self.post(
            &format!("/element/{element}/value"),
            json!({ "text": text }),
        )
        .await;
    }

    /// Clicks, and waits for the page that follows.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        self.post(&format!("/element/{element}/click"), json!({}))
            .await;
    }

    /// The text that is to be seen.
    pub async fn text(&self, css: &str) -> String {
        let element = self.find(css).await;
        let text = self.get(&format!("/element/{element}/text")).await;
        text.as_str().unwrap().to_owned()
    }

    /// What a script makes of the page.
    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// The same once it is this; what it is after a while if it never is.
    pub async fn run_until(&self, script: &str, expected: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let value = self.run(script).await;
            if value == expected || Instant::now() > end {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Gives the window's inside this width, in CSS pixels.
    pub async fn set_width(&self, width: u32) {
        let metrics = json!({
            "width": width, "height": 700, "deviceScaleFactor": 1, "mobile": false,
        });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.post("/goog/cdp/execute", command).await;
    }

    /// Closes the browser.
    pub async fn close(self) {
        self.answer(self.http.delete(&self.url)).await;
    }
}
