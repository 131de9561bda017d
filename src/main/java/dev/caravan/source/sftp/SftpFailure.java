package dev.caravan.source.sftp;

import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSchAlgoNegoFailException;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.JSchHostKeyException;
import com.jcraft.jsch.SftpException;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import org.apache.camel.util.ObjectHelper;

/** Names what went wrong between us and an SFTP server. */
final class SftpFailure {

  private SftpFailure() {}

  /** The error as a failure with a code; {@code what} says what was being done. */
  static CaravanException of(String what, Throwable error) {
    CaravanException named = ObjectHelper.getException(CaravanException.class, error);
    if (named != null) {
      return named;
    }
    SftpException sftp = ObjectHelper.getException(SftpException.class, error);
    if (sftp != null) {
      return new CaravanException(code(sftp), what + ": " + sftp.getMessage(), error);
    }
    JSchException ssh = ObjectHelper.getException(JSchException.class, error);
    if (ssh != null) {
      FailureCode code = code(ssh);
      return new CaravanException(code, what + ": " + explained(code, ssh), error);
    }
    return new CaravanException(
        FailureCode.SOURCE_UNAVAILABLE, what + ": " + error.getMessage(), error);
  }

  private static FailureCode code(SftpException e) {
    return switch (e.id) {
      case ChannelSftp.SSH_FX_NO_SUCH_FILE -> FailureCode.SOURCE_GONE;
      case ChannelSftp.SSH_FX_PERMISSION_DENIED -> FailureCode.SOURCE_DENIED;
      default -> FailureCode.SOURCE_UNAVAILABLE;
    };
  }

  private static FailureCode code(JSchException e) {
    if (e instanceof JSchHostKeyException) {
      return FailureCode.HOST_KEY;
    }
    if (e instanceof JSchAlgoNegoFailException) {
      return FailureCode.SSH_ALGORITHMS;
    }
    String message = String.valueOf(e.getMessage());
    if (message.startsWith("Auth ") || message.contains("Too many authentication failures")) {
      return FailureCode.AUTH_FAILED;
    }
    return message.startsWith("invalid privatekey")
        ? FailureCode.CONFIG_INVALID
        : FailureCode.SOURCE_UNAVAILABLE;
  }

  private static String explained(FailureCode code, JSchException e) {
    return switch (code) {
      case HOST_KEY ->
          "the server's host key is not the one that is known ("
              + e.getMessage()
              + "). Check it with the server's operator, then set sftp.host_key or sftp.known_hosts.";
      case AUTH_FAILED ->
          "the server refused the user name, password or key (" + e.getMessage() + ").";
      case SSH_ALGORITHMS ->
          "the server offers no algorithm that is safe enough (" + e.getMessage() + ").";
      default -> e.getMessage();
    };
  }
}
