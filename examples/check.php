<?php // Asks Obhut whether an uploaded picture may be kept: verdict($bytes) is "keep", "ask" or "refuse".
// OBHUT_TOKEN: obhut token add forum --surface public --scope scan
function verdict(string $picture): string {
    $url = (getenv("OBHUT_URL") ?: "http://127.0.0.1:8480") . "/v1/scan?surface=public";
    $context = stream_context_create(["http" => ["method" => "POST", "content" => $picture,
        "header" => "Authorization: Bearer " . getenv("OBHUT_TOKEN") . "\r\nContent-Type: application/octet-stream",
        "timeout" => 30, "ignore_errors" => true]]);
    $answer = @file_get_contents($url, false, $context);   // false: it is down
    $action = $answer === false ? "could_not" : (json_decode($answer, true)["action"] ?? null);
    if (str_contains($http_response_header[0] ?? "", " 413 ")) $action = "could_not";   // too large to be looked at
    if ($action === null) throw new RuntimeException("Obhut: $answer");   // a mistake of ours
    return match ($action) {
        "allow", "not_scanned" => "keep",   // not_scanned: nobody may look, so nobody did
        "block" => "refuse",
        // review, hold: a person should look. undecodable, could_not: nobody has looked at it. Your choice;
        // here such an upload waits, not shown, until somebody looks or it is asked again.
        default => "ask",
    };
}
if (realpath($argv[0] ?? "") === __FILE__) echo verdict(file_get_contents($argv[1])), "\n";
