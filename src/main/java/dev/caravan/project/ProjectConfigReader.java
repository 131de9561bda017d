package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Reads projects. May be used by several threads. */
public final class ProjectConfigReader {

  /** Ten thousand entries in {@code tables} fit. */
  private static final int MAX_BYTES = 2 * 1024 * 1024;

  /** The keys of {@code sftp} that are secrets. */
  public static final List<String> SECRETS = List.of("password", "key_passphrase");

  private final Map<String, String> environment;
  private final ProjectSchema schema = new ProjectSchema();

  /**
   * @param environment where <code>${env:NAME}</code> is looked up
   */
  public ProjectConfigReader(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  /**
   * Reads a project file of the operator: YAML, or JSON, in UTF-8. Secrets in it may be references
   * to environment variables and files.
   *
   * @throws dev.caravan.failure.CaravanException CONFIG_INVALID with all that is wrong, one line
   *     for each problem: {@code file: path: what was found; what is allowed}
   */
  public ProjectConfig read(Path file) {
    Problems problems = new Problems(file.toString());
    JsonNode document = parse(textOf(file, problems), problems);
    new SecretReferences(document, problems).resolve(environment);
    return toConfig(document, problems);
  }

  /**
   * As above for a text that somebody sent. In it secrets are not references: whoever wrote it
   * chooses the server that gets them.
   *
   * @param origin what the lines of a failure begin with
   */
  public ProjectConfig read(String text, String origin) {
    Problems problems = new Problems(origin);
    JsonNode document = parse(text, problems);
    new SecretReferences(document, problems).refuse();
    return toConfig(document, problems);
  }

  /**
   * A project file as it may be shown: JSON, with *** in the place of secrets and of references to
   * them.
   *
   * @throws dev.caravan.failure.CaravanException CONFIG_INVALID when it cannot be read
   */
  public String shown(Path file) {
    Problems problems = new Problems(file.toString());
    JsonNode document = parse(textOf(file, problems), problems);
    for (String key : SECRETS) {
      if (document.path("sftp").hasNonNull(key)) {
        ((ObjectNode) document.get("sftp")).put(key, "***");
      }
    }
    return document.toString();
  }

  private static JsonNode parse(String text, Problems problems) {
    requireSize(text.length(), problems);
    return new ProjectText(text, problems, "project, connection").parse();
  }

  private ProjectConfig toConfig(JsonNode document, Problems problems) {
    schema.check(document, problems);
    if (!document.isObject()) {
      problems.throwIfAny();
    }
    boolean hasCron = document.path("schedule").hasNonNull("cron");
    new SftpChecks(document.path("sftp"), hasCron, problems).check();
    new TableChecks(document, problems).check();
    problems.throwIfAny();
    return ProjectBinding.bind(schema.complete((ObjectNode) document));
  }

  /** The text of a file of the operator; also of other files that are checked like projects. */
  static String textOf(Path file, Problems problems) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      requireSize(bytes.length, problems);
      return decode(bytes, problems);
    } catch (NoSuchFileException e) {
      problems.add(KeyPath.ROOT, "there is no such file");
    } catch (IOException e) {
      problems.add(KeyPath.ROOT, "cannot be read: " + e);
    }
    throw problems.toException();
  }

  private static void requireSize(int size, Problems problems) {
    if (size > MAX_BYTES) {
      problems.add(KeyPath.ROOT, "too large; allowed: %d bytes".formatted(MAX_BYTES));
      problems.throwIfAny();
    }
  }

  private static String decode(byte[] bytes, Problems problems) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(in).toString();
      return text.startsWith("\uFEFF") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      problems.add(KeyPath.ROOT, "not UTF-8 at byte %d; allowed: UTF-8".formatted(in.position()));
      throw problems.toException();
    }
  }
}
