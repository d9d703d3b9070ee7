import type { PageTexts } from './en.ts';
import { setup } from './setup-es.ts';

export const es: PageTexts = {
  signIn: 'Iniciar sesión',
  emailAtWork: 'Su dirección de correo del trabajo',
  continue: 'Continuar',
  useShortName: 'Usar el nombre corto de su organización',
  shortName: 'El nombre corto de su organización',
  nothingThere: 'No hay ningún inicio de sesión con ese nombre. Revise la escritura o pregunte a su administrador.',
  nobodyKnows: 'No hay ningún inicio de sesión para esa dirección. Revise la escritura o pregunte a su administrador.',
  signsYouInAt: 'Su organización inicia su sesión en {host}.',
  linkTitle: '¿Vincular este inicio de sesión?',
  linkMeans:
    'Ha iniciado sesión como {account}. A partir de ahora, quien inicie sesión en {connection} como {person} será también usted aquí.',
  linkOnly: 'Vincúlelo solo si es usted.',
  link: 'Vincular',
  linkNot: 'No vincular',
  signOutTitle: '¿Cerrar la sesión?',
  signOutMeans: 'Esto termina su sesión aquí y en las aplicaciones que la usan.',
  signOut: 'Cerrar sesión',
  staySignedIn: 'Seguir con la sesión abierta',
  signedOut: 'Ha cerrado la sesión',
  closeWindow: 'Puede cerrar esta ventana.',
  deviceTitle: 'Conectar un dispositivo',
  deviceCode: 'El código que muestra el dispositivo',
  deviceUnknown: 'Ese código no se conoce, o ya no. Mire el dispositivo: quizá muestre uno nuevo.',
  deviceConfirmTitle: '¿Es su dispositivo?',
  deviceConfirmMeans:
    '{application} en un dispositivo quiere iniciar sesión como usted. El dispositivo muestra este código:',
  deviceWarning:
    'Continúe solo si tiene ese dispositivo delante. Nadie que le escriba o le llame necesita este código.',
  deviceConfirm: 'Es mío, iniciar sesión',
  deviceRefuse: 'No es mío',
  deviceDone: 'El dispositivo ha iniciado sesión',
  deviceStopped: 'El dispositivo no ha iniciado sesión.',
  requestTitle: 'No se ha podido atender esta solicitud',
  requestMeans: 'Su aplicación ha pedido algo que aquí no es posible. Usted no ha hecho nada mal.',
  requestAction: 'Vuelva a su aplicación y empiece de nuevo. Si vuelve a ocurrir, avise a quien la gestiona.',
  technical: 'Para quien gestiona la aplicación',
  ...setup,
};
