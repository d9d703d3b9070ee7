import { bots } from './bots-de.ts';
import { consent } from './consent-de.ts';
import type { PageTexts } from './en.ts';
import { factors } from './factors-de.ts';
import { setup } from './setup-de.ts';

export const de: PageTexts = {
  signIn: 'Anmelden',
  emailAtWork: 'Ihre berufliche E-Mail-Adresse',
  continue: 'Weiter',
  useShortName: 'Den Kurznamen Ihrer Organisation verwenden',
  shortName: 'Der Kurzname Ihrer Organisation',
  nothingThere:
    'Unter diesem Namen gibt es keine Anmeldung. Prüfen Sie die Schreibweise, oder fragen Sie Ihre Administration.',
  nobodyKnows:
    'Für diese Adresse gibt es keine Anmeldung. Prüfen Sie die Schreibweise, oder fragen Sie Ihre Administration.',
  signsYouInAt: 'Ihre Organisation meldet Sie bei {host} an.',
  linkTitle: 'Diese Anmeldung verknüpfen?',
  linkMeans:
    'Sie sind angemeldet als {account}. Von nun an sind auch Sie das, wenn sich jemand bei {connection} als {person} anmeldet.',
  linkOnly: 'Verknüpfen Sie nur, wenn Sie das sind.',
  link: 'Verknüpfen',
  linkNot: 'Nicht verknüpfen',
  signOutTitle: 'Abmelden?',
  signOutMeans: 'Das beendet Ihre Sitzung hier und in den Anwendungen, die sie benutzen.',
  signOut: 'Abmelden',
  staySignedIn: 'Angemeldet bleiben',
  signedOut: 'Sie sind abgemeldet',
  closeWindow: 'Sie können dieses Fenster schließen.',
  embedSignedIn: 'Sie sind angemeldet',
  embedNotSignedIn: 'Sie sind nicht angemeldet',
  embedBeginThere:
    'Beginnen Sie mit der Anmeldung auf der Seite, die Sie nutzen möchten. Dieses Fenster können Sie schließen.',
  embedGoBack: 'Gehen Sie zu der Seite zurück, von der Sie kommen. Sie können dieses Fenster schließen.',
  deviceTitle: 'Gerät verbinden',
  deviceCode: 'Der Code, den das Gerät anzeigt',
  deviceUnknown:
    'Dieser Code ist nicht oder nicht mehr bekannt. Sehen Sie auf dem Gerät nach: Es zeigt vielleicht einen neuen.',
  deviceConfirmTitle: 'Ist das Ihr Gerät?',
  deviceConfirmMeans: '{application} auf einem Gerät möchte als Sie angemeldet werden. Das Gerät zeigt diesen Code:',
  deviceWarning:
    'Fahren Sie nur fort, wenn dieses Gerät vor Ihnen steht. Niemand, der Ihnen schreibt oder Sie anruft, braucht diesen Code.',
  deviceConfirm: 'Es ist meines, anmelden',
  deviceRefuse: 'Es ist nicht meines',
  deviceDone: 'Das Gerät ist angemeldet',
  deviceStopped: 'Das Gerät wurde nicht angemeldet.',
  accountTitle: 'Wo Sie angemeldet sind',
  accountMeans:
    'Beenden Sie eine Sitzung, die Sie nicht kennen oder nicht mehr nutzen. Wer sie nutzt, muss sich neu anmelden.',
  sessionOn: '{browser} auf {system}',
  sessionUnknownBrowser: 'Ein unbekannter Browser',
  sessionBy: 'angemeldet über {connection}',
  sessionConnectionGone: 'eine Anmeldung, die es nicht mehr gibt',
  sessionFactor: 'mit zweitem Faktor',
  sessionUnusual: 'neues Gerät oder neuer Ort',
  sessionHere: 'Dieser Browser',
  sessionDelegate: '{name} handelt für die Person',
  sessionSince: 'Seit',
  sessionSeen: 'zuletzt genutzt',
  sessionEnd: 'Beenden',
  sessionsEndOthers: 'Alle anderen beenden',
  sessionsEndAll: 'Alle beenden, auch diese',
  sessionsNone: 'Niemand ist angemeldet.',
  sessionsTitle: 'Sitzungen',
  sessionsEndOfPerson: 'Alle Sitzungen dieser Person beenden',
  sessionsMore: 'Ältere Sitzungen',
  sessionsOfAll: 'Sitzungen aller Personen',
  requestTitle: 'Diese Anfrage war nicht zu bearbeiten',
  requestMeans: 'Ihre Anwendung hat etwas verlangt, das hier nicht geht. Sie haben nichts falsch gemacht.',
  requestAction:
    'Gehen Sie zurück zu Ihrer Anwendung und beginnen Sie von vorn. Wenn es wieder geschieht, melden Sie es ' +
    'denen, die sie betreiben.',
  technical: 'Für alle, die die Anwendung betreiben',
  ...bots,
  ...consent,
  ...factors,
  ...setup,
};
