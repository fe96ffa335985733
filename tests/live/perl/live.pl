use v5.36;
use utf8;
use open qw(:std :encoding(UTF-8));
use lib '.rtt/drivers/perl';

use AgentTestNastyV1;

# Returns the class of the error that a call throws.
sub thrown ($call) {
    return eval { $call->(); 1 } ? '' : ref $@;
}

my $nasty = AgentTestNastyV1->open(agent => 'a.live', timeout => 20);
say 'instance ', $nasty->instance;
say 'text ', $nasty->echo_text({text => 'naïve ☃ 𝄞 "quoted" \\ end'});
say 'integer ', $nasty->echo_integer({number => 9007199254740991});
my $leaf = {value => 'leaf'};
my $found = $nasty->depth({tree => {value => 'root', children => [{value => 'twig', children => [$leaf]}, $leaf]}});
say "depth $found->{depth} $found->{deepest}{value}";
say 'keywords ', $nasty->class({import => 'word', end => JSON::PP::true})->{return};
say 'empty ', $nasty->ping_empty;
say 'large ', length $nasty->echo_text({text => 'x' x 1048576});
eval { $nasty->fail };
say "remote ${\ $@->code} ${\ $@->remote_message}" if $@->isa('RttRuntime::RemoteError');
say 'timeout' if thrown(sub { $nasty->slow(undef, timeout => 0.3) }) eq 'RttRuntime::CallTimeoutError';
for (['wrong_id', 'wrong id'], ['garbage', 'garbage'], ['half_line', 'half a line']) {
    my ($method, $name) = @$_;
    say "$name refused" if thrown(sub { $nasty->call($method) }) eq 'RttRuntime::ProtocolError';
}
say 'wrong type refused' if thrown(sub { $nasty->call('echo_text', {text => 7}) }) eq 'RttRuntime::ProtocolError';
say 'healthy' if $nasty->health;
print 'failover ' if thrown(sub { $nasty->shut_down }) eq 'RttRuntime::ProtocolError';
my $text = $nasty->echo_text({text => 'again'});
say $nasty->instance, " $text";
$nasty->close;
say 'no route' if thrown(sub { AgentTestNastyV1->open(agent => 'a.nobody') }) eq 'RttRuntime::NoRouteError';
