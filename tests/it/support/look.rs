//! What is wrong with how a page looks: by axe, by its width, by the console. Pictures are left in
//! `target/tmp/people`.

use super::browser::{Browser, Colours};
use std::path::{Path, PathBuf};

/// Looks at the page one is on, wide and narrow, by day and by night.
#[derive(Debug)]
pub struct Look {
    pictures: PathBuf,
    wrong: Vec<String>,
}

impl Look {
    pub fn new() -> Self {
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("people");
        std::fs::create_dir_all(&pictures).expect("a folder");
        Self { pictures, wrong: Vec::new() }
    }

    /// Looks; the pictures are called `name`.
    pub async fn at(&mut self, browser: &Browser, name: &str) {
        for (width, colours) in [
            (360, Colours::Light),
            (360, Colours::Dark),
            (1280, Colours::Light),
            (1280, Colours::Dark),
        ] {
            browser.look(width, colours).await;
            let place = format!("{name}-{width}-{colours:?}").to_lowercase();
            // Once in either width, and once in either colours.
            if (width == 360) == (colours == Colours::Light) {
                let found = browser.axe().await;
                self.wrong.extend(found.iter().map(|found| format!("{place}: {found}")));
            }
            if browser.scrolls_sideways().await {
                self.wrong.push(format!("{place}: scrolls sideways"));
            }
            browser.screenshot(&self.pictures.join(format!("{place}.png"))).await;
        }
        let complaints = browser.complaints().await;
        self.wrong.extend(complaints.iter().map(|found| format!("{name}: {found}")));
    }

    /// Panics with everything that was wrong anywhere.
    pub fn found_nothing(self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}
