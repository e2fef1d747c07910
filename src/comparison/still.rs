//! What is taken for granted where a made-up request does not say.

use super::Circumstances;
use crate::policy::Aspect;

impl Circumstances {
    /// How rules that ask about `aspect` are judged.
    pub fn assumption(&self, aspect: Aspect) -> String {
        let fixed = match aspect {
            Aspect::SourceIp => match self.ip {
                Some(ip) => return format!("as if every request came from {ip}"),
                None => "as if the address were unknown",
            },
            Aspect::Time => return format!("as if it were {}", self.instant()),
            Aspect::Certificate => {
                "as if the client's certificate were good enough for the route, and matched no rule"
            }
            Aspect::Claim => "as if nobody had claims but id, e-mail, name and groups",
            Aspect::CorsPreflight => "as if no request were a preflight",
            Aspect::Device => "as if nobody had registered a device",
            Aspect::Header => "as if no header were sent",
            Aspect::Impersonation => "as if nobody acted as somebody else",
            Aspect::McpTool => "as if no tool were called",
            Aspect::Principal => "as if Envoy named no peer",
            Aspect::Query => "as if there were no query",
            Aspect::Record => "by the records that each side's data sources hold now",
            Aspect::Sni => "as if no server name were sent",
            Aspect::Ssh => "as if nothing came over SSH",
        };
        fixed.to_owned()
    }

    fn instant(&self) -> String {
        jiff::Timestamp::from_second(self.now.unix())
            .map_or_else(|_| self.now.unix().to_string(), |instant| instant.to_string())
    }
}
