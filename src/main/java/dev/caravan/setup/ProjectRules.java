package dev.caravan.setup;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.address.AllowedHosts;
import dev.caravan.failure.CaravanException;
import dev.caravan.project.InvalidProject;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ProjectConfigReader;
import dev.caravan.project.SftpServer;
import dev.caravan.setup.RefusedSetup.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What a project of the API must be: as one of a file, and it must not use what is the operator's.
 */
public final class ProjectRules {

  /** A thousand table rules fit; the file of an operator may be larger. */
  private static final int MAX_CHARS = 256 * 1024;

  private final AllowedHosts hosts;
  private final boolean canEncrypt;
  private final boolean hasKnownHosts;
  private final Consumer<ProjectConfig> trial;
  private final ProjectConfigReader reader = new ProjectConfigReader(Map.of());

  /**
   * @param hosts where SFTP servers may be
   * @param canEncrypt whether secrets can be kept
   * @param hasKnownHosts whether the settings know servers whose key a project does not say
   * @param trial fails with CONFIG_INVALID for a project whose routes could not be made
   */
  public ProjectRules(
      AllowedHosts hosts,
      boolean canEncrypt,
      boolean hasKnownHosts,
      Consumer<ProjectConfig> trial) {
    this.hosts = hosts;
    this.canEncrypt = canEncrypt;
    this.hasKnownHosts = hasKnownHosts;
    this.trial = trial;
  }

  /**
   * Reads a document.
   *
   * @throws RefusedSetup with all that is wrong
   */
  ProjectConfig check(String tenant, ObjectNode document) {
    ProjectConfig config = read(document);
    List<Finding> findings = new ArrayList<>();
    JsonNode sftp = document.path("sftp");
    for (String key : ProjectConfigReader.SECRETS) {
      if (ProjectSecrets.isMask(document, key)) {
        findings.add(new Finding("/sftp/" + key, "found a mask; allowed is the secret itself"));
      } else if (sftp.hasNonNull(key) && !canEncrypt) {
        findings.add(
            new Finding(
                "/sftp/" + key,
                "found a secret, which cannot be kept: the operator has set no caravan.secrets.key"));
      }
    }
    config.sftp().server().ifPresent(server -> checkServer(server, findings));
    if (!tenant.equals(Connections.OPERATOR)) {
      checkForeign(sftp, findings);
    }
    if (!findings.isEmpty()) {
      throw RefusedSetup.invalid(findings);
    }
    return config;
  }

  /**
   * Checks the server of one import, which stands in an otherwise empty project, or another folder
   * of its project's server.
   *
   * @throws RefusedSetup with all that is wrong
   */
  void checkOverride(String tenant, ObjectNode document) {
    if (document.path("sftp").hasNonNull("host")) {
      check(tenant, document);
    } else {
      read(document);
    }
  }

  private ProjectConfig read(ObjectNode document) {
    String text = document.toString();
    if (text.length() > MAX_CHARS) {
      throw RefusedSetup.invalid(
          "", "found %d characters; allowed are %d".formatted(text.length(), MAX_CHARS));
    }
    try {
      ProjectConfig config = reader.read(text, "project");
      trial.accept(config);
      return config;
    } catch (InvalidProject e) {
      throw RefusedSetup.invalid(
          e.findings().stream().map(f -> new Finding(f.pointer(), f.problem())).toList());
    } catch (CaravanException e) {
      throw RefusedSetup.invalid("/schedule", e.getMessage());
    }
  }

  private void checkServer(SftpServer server, List<Finding> findings) {
    hosts
        .refusal(server.host(), server.port())
        .ifPresent(
            refusal ->
                findings.add(
                    new Finding(
                        "/sftp/host",
                        refusal
                            + "; allowed are public addresses and what the operator adds by caravan.connections.allow")));
    if (server.hostKeys().isEmpty() && server.knownHosts().isEmpty() && !hasKnownHosts) {
      findings.add(
          new Finding(
              "/sftp/host_key",
              "missing, so that the server cannot be told from another; allowed is its public key"));
    }
  }

  /** Files of this machine and the server of the settings are the operator's. */
  private static void checkForeign(JsonNode sftp, List<Finding> findings) {
    if (!sftp.hasNonNull("host")) {
      findings.add(new Finding("/sftp/host", "missing; allowed is a server of your own"));
    }
    for (String key : List.of("key_path", "known_hosts")) {
      if (sftp.hasNonNull(key)) {
        findings.add(
            new Finding(
                "/sftp/" + key,
                "found a file of this machine; allowed only for the tenant "
                    + Connections.OPERATOR));
      }
    }
  }
}
