package dev.caravan.imports;

import dev.caravan.failure.FailureCode;
import dev.caravan.setup.StoredProject;
import dev.caravan.setup.jdbc.ProjectFileTable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the nodes have the same files of the operator's projects. A node with another file than
 * one that has had its file for longer leaves the project to that one: no poll, no schedule, no
 * job, until both have the same or the other is gone.
 */
public final class FileAgreement {

  private static final Logger LOG = LoggerFactory.getLogger(FileAgreement.class);

  private final ProjectFileTable table;
  private final Map<String, String> versions;
  private volatile Map<String, String> left = Map.of();

  /**
   * Nothing is known of other nodes yet.
   *
   * @param ofFiles the operator's projects as this node has them
   */
  public FileAgreement(ProjectFileTable table, List<StoredProject> ofFiles) {
    this.table = table;
    Map<String, String> all = new HashMap<>();
    ofFiles.forEach(project -> all.put(project.key(), sha256(project.config())));
    this.versions = Map.copyOf(all);
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }

  /**
   * Compares with the other nodes.
   *
   * @return keys of the projects that are left to another node now and were not, or the reverse
   */
  Set<String> compare() throws SQLException {
    Map<String, String> before = left;
    left = Map.copyOf(table.seen(versions));
    Set<String> changed = new HashSet<>();
    for (String key : left.keySet()) {
      if (!before.containsKey(key)) {
        changed.add(key);
        problem(key).ifPresent(LOG::error);
      }
    }
    for (String key : before.keySet()) {
      if (!left.containsKey(key)) {
        changed.add(key);
        LOG.info("Project {}: this node takes part again", key);
      }
    }
    return changed;
  }

  /** Keys of the projects that are left to other nodes. */
  public Set<String> left() {
    return left.keySet();
  }

  /** Why a project is left to another node; empty when it is not, or when it has no file here. */
  public Optional<String> problem(String key) {
    return versions.containsKey(key)
        ? Optional.ofNullable(left.get(key))
            .map(
                node ->
                    "%s: project %s: node %s has another file for it; this node leaves the project to that one until both files are the same."
                        .formatted(FailureCode.CONFIG_INVALID, key, node))
        : Optional.empty();
  }

  /** This node ends; the projects are the others'. */
  void leave() {
    try {
      table.leave();
    } catch (SQLException e) {
      LOG.warn("Other nodes may wait for this one for a while: {}", e.getMessage());
    }
  }
}
