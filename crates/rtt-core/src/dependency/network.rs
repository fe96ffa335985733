//! The requirements as a directed graph: who leads to whom, and what is strongly connected.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::judge::{Judge, Resolved};

/// A requirement that leads somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    /// The instance that requires, by its position.
    pub(super) from: usize,
    /// Whom it leads to.
    pub(super) to: usize,
    /// Which edge it is.
    pub(super) edge: usize,
    /// The agent also runs without it.
    pub(super) optional: bool,
}

/// Returns the link of every edge that leads somewhere, in the edges' order, so by consumer.
pub(super) fn links<'a>(judge: &'a Judge, edges: &'a [Resolved]) -> impl Iterator<Item = Link> + 'a {
    edges.iter().enumerate().filter_map(|(position, edge)| {
        let optional = judge.requirement(edge).optional;
        Some(Link { from: edge.consumer, to: edge.toward?, edge: position, optional })
    })
}

/// Links, found by where they start.
#[derive(Debug)]
pub(super) struct Network {
    links: Vec<Link>,
    /// Where each node's links begin; one entry more than there are nodes.
    begins: Vec<usize>,
}

impl Network {
    /// Takes links that are sorted by where they start, between nodes below `n_nodes`.
    pub(super) fn new(n_nodes: usize, links: Vec<Link>) -> Self {
        let mut begins = Vec::with_capacity(n_nodes + 1);
        let mut at = 0;
        for node in 0..=n_nodes {
            while links.get(at).is_some_and(|link| link.from < node) {
                at += 1;
            }
            begins.push(at);
        }
        Self { links, begins }
    }

    /// Returns the number of nodes.
    pub(super) fn n_nodes(&self) -> usize {
        self.begins.len() - 1
    }

    /// Returns all links.
    pub(super) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Returns the links that start at a node, with their positions among all.
    pub(super) fn out(&self, node: usize) -> impl Iterator<Item = (usize, &Link)> {
        let range = self.begins[node]..self.begins[node + 1];
        range.clone().zip(&self.links[range])
    }

    /// Returns the strongly connected components, each sorted; links lead from later ones to earlier ones.
    ///
    /// Not by petgraph's Tarjan, which recurses: a chain of some ten thousand agents would overflow the stack.
    pub(super) fn components(&self) -> Vec<Vec<usize>> {
        let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(self.n_nodes(), self.links.len());
        let number = |node: usize| u32::try_from(node).expect("a registry holds fewer than 2^32 instances");
        for _ in 0..self.n_nodes() {
            graph.add_node(());
        }
        for link in &self.links {
            graph.add_edge(number(link.from).into(), number(link.to).into(), ());
        }
        let mut components: Vec<Vec<usize>> = kosaraju_scc(&graph)
            .into_iter()
            .map(|component| component.into_iter().map(|node| node.index()).collect())
            .collect();
        components.iter_mut().for_each(|component| component.sort_unstable());
        components
    }
}

/// Instances that all lie on circles with each other, as a network of its own.
pub(super) struct Component {
    /// The instances by their positions, sorted; a node of the network is a place in this list.
    pub(super) members: Vec<usize>,
    /// The links between them.
    pub(super) network: Network,
}

/// Returns the components of two or more of a registry's instances, ordered by their first members. Links are sorted by
/// where they start; those from an instance to itself are left out.
pub(super) fn circular_components(n_instances: usize, links: impl Iterator<Item = Link>) -> Vec<Component> {
    let network = Network::new(n_instances, links.filter(|link| link.from != link.to).collect());
    if network.links.is_empty() {
        return Vec::new();
    }
    let mut components = network.components();
    components.retain(|component| component.len() > 1);
    components.sort_unstable_by_key(|component| component[0]);
    let mut component_of = vec![None; n_instances];
    for (index, component) in components.iter().enumerate() {
        component.iter().for_each(|node| component_of[*node] = Some(index));
    }
    let mut inner: Vec<Vec<Link>> = vec![Vec::new(); components.len()];
    for link in &network.links {
        if let (Some(from), Some(to)) = (component_of[link.from], component_of[link.to])
            && from == to
        {
            inner[from].push(*link);
        }
    }
    components.into_iter().zip(inner).map(|(members, links)| Component::new(members, links)).collect()
}

impl Component {
    fn new(members: Vec<usize>, mut links: Vec<Link>) -> Self {
        let number = |node: usize| members.binary_search(&node).expect("both ends of an inner link are members");
        for link in &mut links {
            (link.from, link.to) = (number(link.from), number(link.to));
        }
        let network = Network::new(members.len(), links);
        Self { members, network }
    }

    /// Returns a link, given by its position, between instances by their positions in the registry.
    pub(super) fn link(&self, position: usize) -> Link {
        let link = self.network.links[position];
        Link { from: self.members[link.from], to: self.members[link.to], ..link }
    }

    /// Returns all links, as [`Self::link`] does.
    pub(super) fn links(&self) -> impl Iterator<Item = Link> {
        (0..self.network.links.len()).map(|position| self.link(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(from: usize, to: usize) -> Link {
        Link { from, to, edge: from, optional: false }
    }

    #[test]
    fn long_chains_and_rings_do_not_exhaust_the_stack() {
        const LENGTH: usize = 200_000;
        let chain = || (0..LENGTH - 1).map(|node| link(node, node + 1));
        let components = Network::new(LENGTH, chain().collect()).components();
        let order: Vec<usize> = components.iter().map(|component| component[0]).collect();
        assert!(order.iter().rev().copied().eq(0..LENGTH), "links lead from later components to earlier ones");
        assert!(circular_components(LENGTH, chain()).is_empty());
        let ring = circular_components(LENGTH, chain().chain([link(LENGTH - 1, 0)]));
        assert_eq!(ring.iter().map(|component| component.members.len()).collect::<Vec<_>>(), [LENGTH]);
    }

    #[test]
    fn components_keep_the_names_of_their_links() {
        let links = [link(1, 4), link(2, 2), link(4, 1), link(4, 3)];
        let components = circular_components(5, links.into_iter());
        let [component] = components.as_slice() else { panic!("one of two members") };
        assert_eq!(component.members, [1, 4]);
        assert_eq!(component.links().collect::<Vec<_>>(), [link(1, 4), link(4, 1)]);
    }
}
