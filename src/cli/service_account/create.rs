//! `lictor service-account create`: an account with its first token, which goes to standard output and
//! nowhere else.

use super::token::Target;
use crate::admin::{AccountView, Created, Minted, NewAccount, NewKind};
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant, printable};
use crate::cli::terminal::{Common, ExpiryArgs, Stop, Terminal};
use crate::cli::{Exit, json};
use serde_json::json;

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("whom").required(true),
    after_help = "The token alone goes to standard output, so that TOKEN=$(lictor …) works. It is kept nowhere. Clients send it as
`Authorization: Pomerium TOKEN`.

Example: lictor service-account create -c lictor.yaml --namespace Design --name ci --expires-in 90d

Exit codes: 0 made, 2 something cannot be taken as written, 4 refused, 5 the store or the directory does not answer."
)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    common: Common,
    /// Where it can be used, there and below: an id, or the way to it such as `Design/Web`
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: String,
    /// A name of its own: letters, digits and `._-`
    #[arg(long, value_name = "NAME", group = "whom")]
    name: Option<String>,
    /// Act as the person with this user id
    #[arg(long, value_name = "USER ID", group = "whom")]
    user: Option<String>,
    /// Take the user id although neither directory nor sign-ins know it
    #[arg(long, conflicts_with = "name")]
    unknown_user: bool,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    #[command(flatten)]
    expiry: ExpiryArgs,
    #[command(flatten)]
    target: Target,
}

impl Create {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Needed, async |terminal| {
            let new = self.new_account(terminal)?;
            let sink = self.target.open()?;
            match terminal.admin.create_account(&terminal.by, new, terminal.at()).await? {
                Created::New(view, Minted { credential, token }) => {
                    let object = json!({
                        "service_account": json::account(&view),
                        "credential": json::credential(&credential, terminal.now()),
                    });
                    sink.give(self.common.format, (object, &token), &credential.id)?;
                    self.tell(&view);
                    report::say(&format!(
                        "its token, {}, is shown this once and kept nowhere",
                        credential.id
                    ));
                    Ok(())
                }
                Created::Before(view) => {
                    let message = format!("`{}` was made before", view.record.user);
                    let help =
                        "its token was shown then; `lictor service-account rotate` makes another";
                    Err(Stop::said(message, help, Exit::Denied))
                }
            }
        })
    }

    fn new_account(&self, terminal: &Terminal) -> Result<NewAccount, Stop> {
        let kind = match (&self.name, &self.user) {
            (_, Some(user)) => {
                NewKind::Impersonating { user: user.clone(), unknown: self.unknown_user }
            }
            (name, None) => NewKind::Unique { name: name.clone().unwrap_or_default() },
        };
        Ok(NewAccount {
            namespace: terminal.namespace(&self.namespace)?,
            kind,
            description: self.description.clone(),
            expires: self.expiry.end(terminal.now()),
            originator: String::new(),
            idempotency_key: None,
        })
    }

    fn tell(&self, view: &AccountView) {
        let record = &view.record;
        let (user, path) = (printable(&record.user), printable(&view.namespace_path));
        report::say(&format!("made {} in {path}; policies know it as `{user}`", record.id));
        if record.is_impersonating() {
            let person = printable(&view.person);
            report::warning(&format!(
                "whoever has the token can do what {person} can do in {path}"
            ));
        }
        match record.expires {
            Some(at) => report::say(&format!("it ends at {}", instant(at))),
            None if self.expiry.is_silent() => {
                report::say("it does not end by itself; --expires-in says when it should");
            }
            None => {}
        }
    }
}
