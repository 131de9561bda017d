package dev.caravan.setup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.Properties;
import javax.net.ssl.HandshakeCompletedListener;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.postgresql.ssl.LibPQFactory;
import org.postgresql.util.PSQLException;

/**
 * The driver's own TLS, and behind it the look at what the server sends: {@link CheckedSockets} see
 * encrypted bytes only. Made by a driver that is told the name of this class.
 */
public final class CheckedTls extends LibPQFactory {

  /**
   * @param settings of the driver
   */
  public CheckedTls(Properties settings) throws PSQLException {
    super(settings);
  }

  @Override
  public Socket createSocket(Socket socket, String host, int port, boolean autoClose)
      throws IOException {
    SSLSocket tls = (SSLSocket) super.createSocket(socket, host, port, autoClose);
    return new CheckedTlsSocket(tls, (CheckedSockets.CheckedSocket) socket);
  }

  /** Java's, but for what is read; it has its own locks, and a close waits for none. */
  @SuppressWarnings("UnsynchronizedOverridesSynchronized")
  private static final class CheckedTlsSocket extends SSLSocket {

    private final SSLSocket tls;
    private final CheckedSockets.CheckedSocket plain;
    private ServerMessages in;

    CheckedTlsSocket(SSLSocket tls, CheckedSockets.CheckedSocket plain) {
      this.tls = tls;
      this.plain = plain;
    }

    @Override
    public synchronized InputStream getInputStream() throws IOException {
      if (in == null) {
        in = plain.messages(tls.getInputStream());
      }
      return in;
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
      return tls.getOutputStream();
    }

    /** Without a farewell, for which a server could let us wait. */
    @Override
    public void close() throws IOException {
      plain.close();
    }

    @Override
    public void startHandshake() throws IOException {
      tls.startHandshake();
    }

    @Override
    public SSLSession getSession() {
      return tls.getSession();
    }

    @Override
    public SSLSession getHandshakeSession() {
      return tls.getHandshakeSession();
    }

    @Override
    public SSLParameters getSSLParameters() {
      return tls.getSSLParameters();
    }

    @Override
    public void setSSLParameters(SSLParameters parameters) {
      tls.setSSLParameters(parameters);
    }

    @Override
    public String getApplicationProtocol() {
      return tls.getApplicationProtocol();
    }

    @Override
    public String[] getSupportedCipherSuites() {
      return tls.getSupportedCipherSuites();
    }

    @Override
    public String[] getEnabledCipherSuites() {
      return tls.getEnabledCipherSuites();
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
      tls.setEnabledCipherSuites(suites);
    }

    @Override
    public String[] getSupportedProtocols() {
      return tls.getSupportedProtocols();
    }

    @Override
    public String[] getEnabledProtocols() {
      return tls.getEnabledProtocols();
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
      tls.setEnabledProtocols(protocols);
    }

    @Override
    public void addHandshakeCompletedListener(HandshakeCompletedListener listener) {
      tls.addHandshakeCompletedListener(listener);
    }

    @Override
    public void removeHandshakeCompletedListener(HandshakeCompletedListener listener) {
      tls.removeHandshakeCompletedListener(listener);
    }

    @Override
    public void setUseClientMode(boolean client) {
      tls.setUseClientMode(client);
    }

    @Override
    public boolean getUseClientMode() {
      return tls.getUseClientMode();
    }

    @Override
    public void setNeedClientAuth(boolean need) {
      tls.setNeedClientAuth(need);
    }

    @Override
    public boolean getNeedClientAuth() {
      return tls.getNeedClientAuth();
    }

    @Override
    public void setWantClientAuth(boolean want) {
      tls.setWantClientAuth(want);
    }

    @Override
    public boolean getWantClientAuth() {
      return tls.getWantClientAuth();
    }

    @Override
    public void setEnableSessionCreation(boolean enable) {
      tls.setEnableSessionCreation(enable);
    }

    @Override
    public boolean getEnableSessionCreation() {
      return tls.getEnableSessionCreation();
    }

    @Override
    public boolean isClosed() {
      return plain.isClosed();
    }

    @Override
    public boolean isConnected() {
      return plain.isConnected();
    }

    @Override
    public InetAddress getInetAddress() {
      return plain.getInetAddress();
    }

    @Override
    public InetAddress getLocalAddress() {
      return plain.getLocalAddress();
    }

    @Override
    public int getPort() {
      return plain.getPort();
    }

    @Override
    public int getLocalPort() {
      return plain.getLocalPort();
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
      return plain.getRemoteSocketAddress();
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
      return plain.getLocalSocketAddress();
    }

    @Override
    public void setSoTimeout(int millis) throws SocketException {
      tls.setSoTimeout(millis);
    }

    @Override
    public int getSoTimeout() throws SocketException {
      return tls.getSoTimeout();
    }

    @Override
    public void setTcpNoDelay(boolean on) throws SocketException {
      plain.setTcpNoDelay(on);
    }

    @Override
    public boolean getTcpNoDelay() throws SocketException {
      return plain.getTcpNoDelay();
    }

    @Override
    public void setKeepAlive(boolean on) throws SocketException {
      plain.setKeepAlive(on);
    }

    @Override
    public void setReceiveBufferSize(int bytes) throws SocketException {
      plain.setReceiveBufferSize(bytes);
    }

    @Override
    public int getReceiveBufferSize() throws SocketException {
      return plain.getReceiveBufferSize();
    }

    @Override
    public void setSendBufferSize(int bytes) throws SocketException {
      plain.setSendBufferSize(bytes);
    }

    @Override
    public int getSendBufferSize() throws SocketException {
      return plain.getSendBufferSize();
    }

    @Override
    public String toString() {
      return tls.toString();
    }
  }
}
