<?php

declare(strict_types=1);

require __DIR__ . '/.rtt/drivers/php/AgentTestNastyV1.php';

use Rtt\AgentTestNastyV1;

$nasty = AgentTestNastyV1::open(agent: 'a.live', timeout: 20);
echo "instance {$nasty->instance()}\n";
echo "text {$nasty->echo_text(text: 'naïve ☃ 𝄞 "quoted" \\ end')}\n";
echo "integer {$nasty->echo_integer(number: 9007199254740991)}\n";
$leaf = ['value' => 'leaf'];
$twig = ['value' => 'twig', 'children' => [$leaf]];
$found = $nasty->depth(tree: ['value' => 'root', 'children' => [$twig, $leaf]]);
echo "depth {$found->depth} {$found->deepest->value}\n";
echo "keywords {$nasty->class(import: 'word', end: true)->return}\n";
echo "empty {$nasty->ping_empty()}\n";
echo 'large ', strlen($nasty->echo_text(text: str_repeat('x', 1048576))), "\n";
try {
    $nasty->fail();
} catch (Rtt\RemoteError $error) {
    echo "remote {$error->getCode()} {$error->remoteMessage}\n";
}
try {
    $nasty->slow(_timeout: 0.3);
} catch (Rtt\CallTimeoutError) {
    echo "timeout\n";
}
foreach (['wrong_id' => 'wrong id', 'garbage' => 'garbage', 'half_line' => 'half a line'] as $method => $name) {
    try {
        $nasty->call($method);
    } catch (Rtt\ProtocolError) {
        echo "$name refused\n";
    }
}
try {
    $nasty->call('echo_text', ['text' => 7]);
} catch (Rtt\ProtocolError) {
    echo "wrong type refused\n";
}
if ($nasty->health()) {
    echo "healthy\n";
}
try {
    $nasty->shut_down();
} catch (Rtt\ProtocolError) {
    echo 'failover ';
}
$text = $nasty->echo_text(text: 'again');
echo "{$nasty->instance()} $text\n";
$nasty->close();
try {
    AgentTestNastyV1::open(agent: 'a.nobody');
} catch (Rtt\NoRouteError) {
    echo "no route\n";
}
