package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.SftpConfig;
import dev.caravan.project.SftpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.component.file.remote.SftpEndpoint;

/**
 * The route that polls a folder on a server for a project. One that does not poll still has the
 * endpoint, which is where server, login and folder stand for whoever reads or moves files there.
 */
final class PollRoute {

  private static final String TEMPLATE = "poll-sftp";

  private final CamelContext context;
  private final String id;
  private final List<String> beans = new ArrayList<>();

  private PollRoute(CamelContext context, String id) {
    this.context = context;
    this.id = id;
  }

  /**
   * Adds it; nothing is left when it fails.
   *
   * @param project names a server; its parts are beans already
   * @param knownHosts if the project has none
   * @throws CaravanException CONFIG_INVALID when known hosts or key cannot be read
   */
  static PollRoute add(
      CamelContext context,
      String id,
      ProjectConfig project,
      Optional<Path> knownHosts,
      boolean polls)
      throws Exception {
    PollRoute route = new PollRoute(context, id);
    try {
      context.addRouteFromTemplate(id, TEMPLATE, route.parameters(project, knownHosts, polls));
      return route;
    } catch (Exception e) {
      route.remove();
      throw e;
    }
  }

  /** Where the folder is. */
  SftpEndpoint endpoint() {
    return (SftpEndpoint) context.getRoute(id).getEndpoint();
  }

  /** Takes it away with its beans. */
  void remove() throws Exception {
    Routes.remove(context, id);
    beans.forEach(context.getRegistry()::unbind);
  }

  private Map<String, Object> parameters(
      ProjectConfig project, Optional<Path> knownHosts, boolean polls) throws IOException {
    SftpConfig sftp = project.sftp();
    SftpServer server = sftp.server().orElseThrow();
    Map<String, Object> parameters = new HashMap<>();
    parameters.put("project", project.project());
    parameters.put("host", server.host());
    parameters.put("port", server.port());
    parameters.put("username", server.username());
    parameters.put("directory", sftp.remotePath());
    parameters.put("authentications", server.keyPath().isPresent() ? "publickey" : "password");
    parameters.put("polls", polls);
    parameters.put("pollMillis", sftp.pollInterval().toMillis());
    parameters.put("knownHosts", bind("knownHosts", knownHosts(project, server, knownHosts)));
    server.password().ifPresent(s -> parameters.put("password", bind("password", s)));
    server.keyPath().ifPresent(p -> parameters.put("privateKeyFile", p.toString()));
    server
        .keyPassphrase()
        .ifPresent(s -> parameters.put("privateKeyPassphrase", bind("keyPassphrase", s)));
    sftp.doneMarker()
        .ifPresent(marker -> parameters.put("doneFileName", marker.markerOf("${file:name}")));
    return parameters;
  }

  private String bind(String part, Object bean) {
    String name = id + "." + part;
    context.getRegistry().bind(name, bean);
    beans.add(name);
    return "#bean:" + name;
  }

  /** In the format of OpenSSH; a port other than 22 is part of the name there. */
  private static byte[] knownHosts(
      ProjectConfig project, SftpServer server, Optional<Path> byDefault) throws IOException {
    if (server.hostKeys().isEmpty()) {
      Path file = server.knownHosts().or(() -> byDefault).orElseThrow(() -> noHostKey(project));
      if (!Files.isReadable(file)) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "project %s: sftp.known_hosts: %s cannot be read.".formatted(project.project(), file));
      }
      return Files.readAllBytes(file);
    }
    String host =
        server.port() == 22 ? server.host() : "[%s]:%d".formatted(server.host(), server.port());
    StringBuilder lines = new StringBuilder();
    server.hostKeys().forEach(key -> lines.append(host).append(' ').append(key).append('\n'));
    return lines.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static CaravanException noHostKey(ProjectConfig project) {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "project %s: sftp: neither host_key nor known_hosts is set, so that the server cannot be told from another; allowed is one of them."
            .formatted(project.project()));
  }
}
