package dev.caravan.setup;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.project.ProjectConfigReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The secrets in a project's document: taken out before it is stored, put in before it is used. */
final class ProjectSecrets {

  private static final List<String> KEYS = ProjectConfigReader.SECRETS;
  private static final int DEFAULT_PORT = 22;

  private ProjectSecrets() {}

  /** Leaves a mask in their places. */
  static Map<String, String> take(ObjectNode document) {
    Map<String, String> secrets = new HashMap<>();
    for (String key : KEYS) {
      if (sftp(document).path(key).isTextual()) {
        secrets.put(key, sftp(document).get(key).textValue());
        ((ObjectNode) document.get("sftp")).put(key, DatabaseUrl.MASK);
      }
    }
    return secrets;
  }

  static void put(ObjectNode document, Map<String, String> secrets) {
    secrets.forEach((key, secret) -> ((ObjectNode) document.get("sftp")).put(key, secret));
  }

  /**
   * Puts stored secrets in the place of masks.
   *
   * @throws RefusedSetup when they would go to another server or user than before
   */
  static void keep(ObjectNode document, ObjectNode before, Map<String, String> secrets) {
    for (String key : KEYS) {
      if (isMask(document, key) && secrets.containsKey(key)) {
        if (!login(document).equals(login(before))) {
          throw RefusedSetup.invalid(
              "/sftp/" + key,
              "host, port, username or host key is another and the secret is missing; allowed is the same login, or one with its secret");
        }
        ((ObjectNode) document.get("sftp")).put(key, secrets.get(key));
      }
    }
  }

  static boolean isMask(ObjectNode document, String key) {
    return DatabaseUrl.MASK.equals(sftp(document).path(key).textValue());
  }

  /** What a secret is sent to; who sets another must know the secret. */
  private static List<String> login(ObjectNode document) {
    JsonNode sftp = sftp(document);
    return List.of(
        sftp.path("host").asText(),
        String.valueOf(sftp.path("port").asInt(DEFAULT_PORT)),
        sftp.path("username").asText(),
        sftp.path("host_key").toString(),
        sftp.path("known_hosts").asText());
  }

  private static JsonNode sftp(ObjectNode document) {
    return document.path("sftp");
  }
}
