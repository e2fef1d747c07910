//! Questions about the connection a request came by.

use super::{Doubt, Finding};
use crate::address::AddressRanges;
use crate::policy::matcher::StringMatch;
use crate::policy::{Facts, Reason};
use std::borrow::Cow;

#[derive(Debug)]
pub(crate) enum PeerQuestion {
    SourceIp(AddressRanges),
    /// Whom Envoy saw in the certificate of its peer. Nobody: no operator holds.
    SourcePrincipal(StringMatch),
    /// The same, if it is a SPIFFE id.
    SpiffeId(StringMatch),
    Sni(StringMatch),
}

impl PeerQuestion {
    pub(super) fn ask(&self, facts: &Facts<'_>, doubt: Doubt) -> Finding<'_> {
        let principal = principal(facts, doubt);
        match self {
            Self::SourceIp(ranges) => {
                let holds = facts.source_ip.is_some_and(|address| ranges.contains(address));
                Finding::either(holds, Reason::SourceIpOk, Reason::SourceIpUnauthorized)
            }
            Self::SourcePrincipal(text) => {
                let holds = principal.is_some_and(|principal| text.matches(principal));
                Finding::either(
                    holds,
                    Reason::SourcePrincipalOk,
                    Reason::SourcePrincipalUnauthorized,
                )
            }
            Self::SpiffeId(text) => {
                let holds = spiffe_id(principal).is_some_and(|id| text.matches(id));
                Finding::either(holds, Reason::SpiffeIdOk, Reason::SpiffeIdUnauthorized)
            }
            Self::Sni(text) => {
                Finding::either(text.matches(facts.sni), Reason::SniOk, Reason::SniUnauthorized)
            }
        }
    }

    pub(super) fn saw(&self, facts: &Facts<'_>) -> Cow<'static, str> {
        let text = match self {
            Self::SourceIp(_) if facts.source_ip.is_some() => "an address",
            Self::SourceIp(_) => "no address",
            Self::SourcePrincipal(_) | Self::SpiffeId(_)
                if facts.principal.is_some() && !facts.principal_vouched =>
            {
                "a name that no trusted CA vouches for"
            }
            Self::SourcePrincipal(_) if facts.principal.is_some() => "a principal",
            Self::SourcePrincipal(_) => "no principal",
            Self::SpiffeId(_) if spiffe_id(facts.principal).is_some() => "a SPIFFE id",
            Self::SpiffeId(_) => "no SPIFFE id",
            Self::Sni(_) if facts.sni.is_empty() => "no server name",
            Self::Sni(_) => "a server name",
        };
        text.into()
    }
}

/// SECURITY: a name that nobody vouches for is nobody's where it would let somebody in.
fn principal<'f>(facts: &Facts<'f>, doubt: Doubt) -> Option<&'f str> {
    facts.principal.filter(|_| facts.principal_vouched || doubt == Doubt::Any)
}

fn spiffe_id(principal: Option<&str>) -> Option<&str> {
    principal.filter(|principal| principal.starts_with("spiffe://"))
}
