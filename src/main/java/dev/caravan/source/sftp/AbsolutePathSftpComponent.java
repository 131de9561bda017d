package dev.caravan.source.sftp;

import java.net.URI;
import java.util.Map;
import org.apache.camel.component.file.GenericFileEndpoint;
import org.apache.camel.component.file.remote.RemoteFileOperations;
import org.apache.camel.component.file.remote.SftpComponent;
import org.apache.camel.component.file.remote.SftpConfiguration;
import org.apache.camel.component.file.remote.SftpEndpoint;
import org.apache.camel.component.file.remote.SftpRemoteFile;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.util.StringHelper;

/**
 * Camel's {@code sftp:}, but {@code sftp://host//path} is the absolute path that it says. Camel
 * makes it relative to the login's home, where the exports of most servers are not.
 */
@Component("sftp") // gives it the generated option setters of Camel's own
@SuppressWarnings("rawtypes") // as in the overridden method
public final class AbsolutePathSftpComponent extends SftpComponent {

  @Override
  protected GenericFileEndpoint<SftpRemoteFile> buildFileEndpoint(
      String uri, String remaining, Map<String, Object> parameters) throws Exception {
    // An option may hold what a URI may not: only the part before it is parsed.
    String address = StringHelper.before(uri, "?", uri);
    return new FolderEndpoint(uri, this, new SftpConfiguration(new URI(address)));
  }

  /** Whose listings say what links lead to. */
  private static final class FolderEndpoint extends SftpEndpoint {

    FolderEndpoint(String uri, SftpComponent component, SftpConfiguration configuration) {
      super(uri, component, configuration);
    }

    @Override
    public RemoteFileOperations<SftpRemoteFile> createRemoteFileOperations() {
      FolderOperations operations = new FolderOperations(getProxy());
      operations.setEndpoint(this);
      return operations;
    }
  }
}
