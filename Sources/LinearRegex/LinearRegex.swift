// LinearRegex: regular expressions over peers' text that cannot run away.
//
// Owns: the syntax (RE2's, as the Collector's users write it, without Unicode's `\p` classes), its compilation into a
// program of bounded size, and two ways to run one, both of which look at a byte at most once for every instruction:
// a lazily built automaton that says whether there is a match, and a simulation that says where it and its groups are.
// Never: backtracking, back references, lookaround; files, clocks, other modules.
// Input is text as bytes: UTF-8, in which a byte that belongs to no character counts as U+FFFD. Of several matches the
// leftmost counts, and of those at one place the one that the alternatives' and repetitions' order prefers (Perl's
// rule, and Go's).
//
// A `Pattern` is compiled once and shared. Whoever runs it has a `Matcher` of its own, whose arrays are reused: a text
// costs no allocation once the automaton has the states that texts like it need. The states are capped; when there is
// no room for another one all are forgotten.
