//! Rules by the symbols that they name, so that looking them up for many routes takes the time of the routes, not that of
//! routes times rules. Only patterns with wildcards at both ends are tried one by one.

use std::collections::BTreeMap;

use super::{Access, AclRule, Effect, FailoverRule, Pattern, Pin, Policy, QosRule};
use crate::lane::Lane;
use crate::symbol::{InstanceId, Symbol};

/// A policy to be asked about many routes.
pub struct Index<'a> {
    policy: &'a Policy,
    acl: Names<'a>,
    qos: Names<'a>,
    failover: Names<'a>,
    agent_pins: Names<'a>,
    route_pins: Names<'a>,
}

impl Policy {
    /// Returns the policy in a form that answers fast.
    pub fn index(&self) -> Index<'_> {
        let acl = self.acl.iter().flat_map(|acl| &acl.rules).map(|rule| Some((Some(&rule.from), Some(&rule.to))));
        let agent_pins = self.pins.iter().map(|pin| match pin {
            Pin::Agent { agent, .. } => Some((Some(agent), None)),
            Pin::Route { .. } => None,
        });
        let route_pins = self.pins.iter().map(|pin| match pin {
            Pin::Route { from, to, .. } => Some((Some(from), Some(to))),
            Pin::Agent { .. } => None,
        });
        Index {
            policy: self,
            acl: Names::new(acl),
            qos: Names::new(self.qos.iter().map(|rule| Some((Some(&rule.from), Some(&rule.to))))),
            failover: Names::new(self.failover.iter().map(|rule| Some((Some(&rule.from), Some(&rule.to))))),
            agent_pins: Names::new(agent_pins),
            route_pins: Names::new(route_pins),
        }
    }
}

impl<'a> Index<'a> {
    /// Tells whether an instance may call another by a lane: no deny rule matches, and an allow rule or the default does.
    pub fn access(&self, from: &InstanceId, to: &InstanceId, lane: Lane) -> Access<'a> {
        let Some(acl) = &self.policy.acl else { return Access::Allowed };
        let mut allowed = acl.default == Effect::Allow;
        for position in self.acl.naming(&from.symbol, &to.symbol) {
            let rule: &AclRule = &acl.rules[position];
            let on_lane = rule.via.as_ref().is_none_or(|lanes| lanes.contains(&lane));
            if !(on_lane && rule.from.matches(from) && rule.to.matches(to)) {
                continue;
            }
            match rule.effect {
                Effect::Deny => return Access::Denied(&rule.pointer),
                Effect::Allow => allowed = true,
            }
        }
        if allowed { Access::Allowed } else { Access::Denied(&acl.pointer) }
    }

    /// Returns the bounds that policy gives a route: those of the first rule that matches.
    pub fn qos_of(&self, from: &InstanceId, to: &Symbol) -> Option<&'a QosRule> {
        self.qos_rules(from, to).next()
    }

    /// Returns the alternates that policy gives a route: those of the first rule that matches.
    pub fn failover_of(&self, from: &InstanceId, to: &Symbol) -> Option<&'a FailoverRule> {
        self.failover_rules(from, to).next()
    }

    /// Returns every pin of an agent, in file order.
    pub fn pins_of_agent(&self, id: &InstanceId) -> impl Iterator<Item = &'a Pin> {
        let pins =
            self.agent_pins.naming(&id.symbol, &id.symbol).into_iter().map(|position| &self.policy.pins[position]);
        pins.filter(|pin| matches!(pin, Pin::Agent { agent, .. } if agent.matches(id)))
    }

    /// Returns every pin of a route, in file order.
    pub fn pins_of_route(&self, from: &InstanceId, to: &Symbol) -> impl Iterator<Item = &'a Pin> {
        let pins = self.route_pins.naming(&from.symbol, to).into_iter().map(|position| &self.policy.pins[position]);
        pins.filter(|pin| {
            matches!(pin, Pin::Route { from: source, to: target, .. } if source.matches(from) && target.matches_symbol(to))
        })
    }

    /// Returns the pointers of all rules and pins about routes that match one.
    pub fn pointers_of_route(&self, from: &InstanceId, to: &Symbol) -> impl Iterator<Item = &'a str> {
        let pins = self.pins_of_route(from, to).map(|pin| match pin {
            Pin::Agent { pointer, .. } | Pin::Route { pointer, .. } => pointer.as_str(),
        });
        let qos = self.qos_rules(from, to).map(|rule| rule.pointer.as_str());
        qos.chain(self.failover_rules(from, to).map(|rule| rule.pointer.as_str())).chain(pins)
    }

    fn qos_rules(&self, from: &InstanceId, to: &Symbol) -> impl Iterator<Item = &'a QosRule> {
        let rules = self.qos.naming(&from.symbol, to).into_iter().map(|position| &self.policy.qos[position]);
        rules.filter(|rule| rule.from.matches(from) && rule.to.matches_symbol(to))
    }

    fn failover_rules(&self, from: &InstanceId, to: &Symbol) -> impl Iterator<Item = &'a FailoverRule> {
        let rules = self.failover.naming(&from.symbol, to).into_iter().map(|position| &self.policy.failover[position]);
        rules.filter(|rule| rule.from.matches(from) && rule.to.matches_symbol(to))
    }
}

/// Positions of rules by the one symbol that an end of theirs can match.
#[derive(Default)]
struct Names<'a> {
    by_source: BTreeMap<&'a str, Vec<usize>>,
    by_target: BTreeMap<&'a str, Vec<usize>>,
    wide: Vec<usize>,
}

impl<'a> Names<'a> {
    /// `ends`: of each rule the patterns of source and target; `None` for one that is not of this kind.
    fn new(ends: impl Iterator<Item = Option<(Option<&'a Pattern>, Option<&'a Pattern>)>>) -> Self {
        let mut names = Self::default();
        for (position, ends) in ends.enumerate() {
            let Some((source, target)) = ends else { continue };
            let list = match (source.and_then(Pattern::name), target.and_then(Pattern::name)) {
                (Some(name), _) => names.by_source.entry(name).or_default(),
                (None, Some(name)) => names.by_target.entry(name).or_default(),
                (None, None) => &mut names.wide,
            };
            list.push(position);
        }
        names
    }

    /// The rules that may match, in file order.
    fn naming(&self, source: &Symbol, target: &Symbol) -> Vec<usize> {
        let by_name = [self.by_source.get(source.as_str()), self.by_target.get(target.as_str())];
        let mut all: Vec<usize> = by_name.into_iter().flatten().chain([&self.wide]).flatten().copied().collect();
        all.sort_unstable();
        all
    }
}
