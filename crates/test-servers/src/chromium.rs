//! Chromium without a window, driven by the W3C WebDriver protocol.

use anyhow::{Result, bail};

use crate::contained::Contained;
use crate::loopback::connect;
use crate::{free_port, packages};

/// Where the browser is in the prefix that is laid over `/usr`.
const PROGRAM: &str = "/usr/lib/chromium/chromium";

/// Nothing but the page that a test asks for: no window, no downloads of its own, nothing kept.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A running `chromedriver`. Each session that it is asked for is a browser of its own, which ends with it.
#[derive(Debug)]
pub struct Chromium {
    server: Contained,
    port: u16,
}

impl Chromium {
    /// Starts the driver; the browser comes with the first session.
    ///
    /// # Errors
    /// When the packages are not unpacked (`install.sh`), the process is not root, or the driver does not start: then with
    /// the end of its log.
    pub async fn start() -> Result<Self> {
        let prefix = packages::prefix("chromium")?;
        let mut server = Contained::new("chromium", Some(prefix.clone()))?;
        let port = free_port()?;
        let home = server.path().join("home");
        std::fs::create_dir(&home)?;
        server.write("setup.sh", "")?;
        let serve = format!(
            "export HOME='{}' FONTCONFIG_PATH='{}/etc/fonts'\nexec chromedriver --port={port}\n",
            home.display(),
            prefix.display()
        );
        server.write("serve.sh", serve)?;
        let listens = || async { connect(([127, 0, 0, 1], port).into()).await.is_ok() };
        server.start(listens).await?;
        Ok(Self { server, port })
    }

    /// Where the driver takes commands, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The browser itself.
    #[must_use]
    pub fn program(&self) -> &'static str {
        PROGRAM
    }

    /// What the browser of a session is started with. `profile` names an empty directory of the session's own, which is made.
    ///
    /// # Errors
    /// When the profile was used before.
    pub fn flags(&self, profile: &str) -> Result<Vec<String>> {
        let directory = self.server.path().join("home").join(profile);
        if std::fs::create_dir(&directory).is_err() {
            bail!("{profile}: the profile of a session is new");
        }
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", directory.display()));
        Ok(flags)
    }

    /// The last lines of the driver's log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        self.server.log_tail()
    }
}
