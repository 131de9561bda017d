package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Secrets that are written as references: <code>${env:NAME}</code> or <code>${file:/path}</code>.
 */
final class SecretReferences {

  private static final KeyPath SFTP = KeyPath.ROOT.key("sftp");
  private static final List<String> SECRETS = ProjectConfigReader.SECRETS;
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{(\\w+):(.*)}");
  private static final Pattern LINE_END = Pattern.compile("\\r?\\n$");
  private static final int MAX_FILE_BYTES = 64 * 1024;

  private final JsonNode sftp;
  private final Problems problems;

  SecretReferences(JsonNode document, Problems problems) {
    this.sftp = document.path("sftp");
    this.problems = problems;
  }

  /** Puts the secrets in the place of their references. */
  void resolve(Map<String, String> environment) {
    for (String key : SECRETS) {
      reference(key)
          .flatMap(reference -> secret(reference, environment, SFTP.key(key)))
          .ifPresent(secret -> ((ObjectNode) sftp).put(key, secret));
    }
  }

  /**
   * For projects that do not come from the operator: they could send any secret of this process to
   * a server of their choice.
   */
  void refuse() {
    for (String key : SECRETS) {
      if (reference(key).isPresent()) {
        problems.add(
            SFTP.key(key),
            "found a reference; allowed: the secret itself, for only project files of the operator may refer to others");
      }
    }
  }

  private Optional<MatchResult> reference(String key) {
    Matcher reference = REFERENCE.matcher(sftp.path(key).asText());
    return reference.matches() ? Optional.of(reference.toMatchResult()) : Optional.empty();
  }

  private Optional<String> secret(
      MatchResult reference, Map<String, String> environment, KeyPath path) {
    String name = reference.group(2);
    Optional<String> secret =
        switch (reference.group(1)) {
          case "env" -> Optional.ofNullable(environment.get(name));
          case "file" -> text(name);
          default -> Optional.empty();
        };
    if (secret.filter(text -> !text.isEmpty()).isEmpty()) {
      problems.add(
          path,
          "%s; allowed: the secret itself, ${env:NAME} or ${file:/path}"
              .formatted(problem(reference)));
    }
    return secret;
  }

  private static String problem(MatchResult reference) {
    String name = Printable.quoted(reference.group(2));
    return switch (reference.group(1)) {
      case "env" -> "the environment variable " + name + " is not set or is empty";
      case "file" ->
          "the file %s is empty, cannot be read, is larger than %d bytes or is not named by its full path"
              .formatted(name, MAX_FILE_BYTES);
      default -> "found a reference of another kind";
    };
  }

  private static Optional<String> text(String file) {
    try {
      Path path = Path.of(file);
      return path.isAbsolute() ? Optional.of(text(path)) : Optional.empty();
    } catch (IOException | InvalidPathException e) {
      return Optional.empty();
    }
  }

  /** Without the line end that editors put after it; nothing if it is too large. */
  private static String text(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
      String text = new String(bytes, StandardCharsets.UTF_8);
      return bytes.length > MAX_FILE_BYTES ? "" : LINE_END.matcher(text).replaceFirst("");
    }
  }
}
