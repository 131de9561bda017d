package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/** What the schema cannot say about the {@code sftp} section: keys that need or exclude others. */
final class SftpChecks {

  private static final KeyPath SFTP = KeyPath.ROOT.key("sftp");
  private static final List<String> ONLY_WITH_HOST =
      List.of(
          "port", "username", "password", "key_path", "key_passphrase", "known_hosts", "host_key");

  private final JsonNode sftp;
  private final boolean hasCron;
  private final Problems problems;

  /**
   * @param hasCron whether the project is imported by a schedule
   */
  SftpChecks(JsonNode sftp, boolean hasCron, Problems problems) {
    this.sftp = sftp;
    this.hasCron = hasCron;
    this.problems = problems;
  }

  void check() {
    if (given("host")) {
      checkLogin();
      checkHostKeys();
    } else {
      ONLY_WITH_HOST.stream().filter(this::given).forEach(this::refuseWithoutHost);
    }
    checkLocalPath("key_path");
    checkLocalPath("known_hosts");
    if (sftp.path("detect_changes").asText().equals("content")
        && !(hasCron && sftp.path("after_load").asText().equals("keep"))) {
      problem(
          "detect_changes",
          "found content; allowed: only with after_load: keep and schedule.cron, because each import reads every file again");
    }
    if (given("move_to") && sftp.path("after_load").asText().equals("keep")) {
      problem("move_to", "given with after_load: keep; allowed: only with after_load: move");
    }
  }

  private void refuseWithoutHost(String key) {
    problem(
        key,
        "given without host; allowed: only together with host, because without it the server of the settings is used");
  }

  private void checkLogin() {
    if (!given("username")) {
      problem("username", "missing; required with host");
    }
    if (!given("password") && !given("key_path")) {
      problem("password", "missing; with host, password or key_path is required");
    }
    refuseBoth("password", "key_path");
    if (given("key_passphrase") && !given("key_path")) {
      problem("key_passphrase", "given without key_path; allowed: only with key_path");
    }
  }

  private void checkHostKeys() {
    refuseBoth("known_hosts", "host_key");
    JsonNode keys = sftp.path("host_key");
    KeyPath path = SFTP.key("host_key");
    checkHostKey(keys, path);
    for (int i = 0; i < keys.size(); i++) {
      checkHostKey(keys.path(i), path.item(i));
    }
  }

  /** A key that lost a letter on the way would look like an attack at the first login. */
  private void checkHostKey(JsonNode key, KeyPath path) {
    String[] parts = key.asText().split(" ", 3);
    if (parts.length > 1 && !isKeyOfType(parts[0], parts[1])) {
      problems.add(
          path,
          "found a key that is damaged or not of type %s; allowed: type and text as ssh-keyscan prints them"
              .formatted(Printable.quoted(parts[0])));
    }
  }

  /** Public keys begin with the length and the name of their type (RFC 4253, 6.6). */
  private static boolean isKeyOfType(String type, String base64) {
    try {
      ByteBuffer key = ByteBuffer.wrap(Base64.getDecoder().decode(base64));
      byte[] expected = type.getBytes(StandardCharsets.US_ASCII);
      return key.remaining() > Integer.BYTES + expected.length
          && key.getInt() == expected.length
          && key.slice(key.position(), expected.length).equals(ByteBuffer.wrap(expected));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private void checkLocalPath(String key) {
    try {
      var unused = Path.of(sftp.path(key).asText());
    } catch (InvalidPathException e) {
      problem(
          key,
          "found %s; allowed: a path of this machine".formatted(Printable.quoted(e.getInput())));
    }
  }

  private void refuseBoth(String first, String second) {
    if (given(first) && given(second)) {
      problem(second, "given beside %s; allowed: one of the two".formatted(first));
    }
  }

  private boolean given(String key) {
    return sftp.hasNonNull(key);
  }

  private void problem(String key, String problem) {
    problems.add(SFTP.key(key), problem);
  }
}
